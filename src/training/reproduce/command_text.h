// training: the command that does a piece of a reproduction, for a reader to copy. In: one piece of work. Out: a line for a shell.
#pragma once

#include <string>

#include "training/reproduce/runner.h"

namespace actio::training {

std::string command_text(const RowTraining& work);
std::string command_text(const RowEvaluation& work);

}  // namespace actio::training
