// eval: the papers' tables for people who choose one. In: tables. Out: text.
#pragma once

#include <string>
#include <vector>

#include "eval/paper_table.h"

namespace actio::eval {

// Each table with its rows: the paper's figures, and how the row is run.
std::string list_text(const std::vector<PaperTable>& tables);

}  // namespace actio::eval
