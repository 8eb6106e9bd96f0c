// training: a recipe as the file that lies beside the model: what --config takes, and why as comments. In: decisions. Out: text, and a
// request that follows it.
#pragma once

#include <string>

#include "training/recipe/decide.h"
#include "training/request.h"

namespace actio::training {

// The request with these tables below what the user chose. Where they are `decided`, the network and streams that were asked for are those of
// the last stage. Throws: Error(kUsage) naming `where`.
TrainRequest with_tables(const TrainRequest& request, const Json& tables, const std::string& where, bool decided);

// What recipes are decided by beside the clips: what was asked for, and the first weights' content. 16 hexadecimal digits.
std::string asked_mark(const TrainRequest& request);

// Whether the text of a file is of that mark.
bool is_of_mark(const std::string& text, const std::string& mark);

// One line for each decision.
std::string text_of(const Recipe& recipe);

std::string file_text(const Recipe& recipe, const TrainSpec& spec, const std::string& mark);

}  // namespace actio::training
