// eval: a reproduced table for people and programs. In: the paper's table and what came out of its rows. Out: Markdown and
// JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/paper_table.h"
#include "eval/row_figures.h"

namespace actio::eval {

struct RowReport {
  PaperRow row;
  std::optional<RowFigures> ours;
  std::string error;  // why there are none; empty for a row that is absent or was not run yet
};

struct TableReport {
  PaperTable table;                       // without its rows
  std::string data;                       // what ours are: "UT-Interaction set 1: 60 clips of 6 classes"
  std::optional<std::size_t> own_column;  // the paper's figures on these same data
  std::vector<std::string> changes;       // of every row: "network.backbone = \"resnet18\""
  std::vector<std::string> notes;         // a sentence each, below the table
  std::vector<RowReport> rows;
};

// Row, the paper's figures, ours with a 95 % interval, the difference where the data are the paper's, and how far each row
// is above or below the first one that was run, here and in the paper.
std::string markdown_of(const TableReport& report);

Json to_json(const TableReport& report);

}  // namespace actio::eval
