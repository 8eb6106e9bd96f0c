// data: what a check found, for people and for programs. In: a report. Out: text and JSON.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"
#include "data/check.h"

namespace actio::data {

// One line for each kind of trouble, and a few more where there is some.
std::string check_text(const CheckReport& report, const Dataset& dataset);

// What should be mended before figures are believed, one line each.
std::vector<std::string> findings(const CheckReport& report, const Dataset& dataset);

// As docs/formats.md has it, with the facts of every clip.
Json check_json(const CheckReport& report, const Dataset& dataset);

}  // namespace actio::data
