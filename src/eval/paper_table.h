// eval: a paper's table as data: what its rows say, and how this program runs them. In: a file of configs/papers. Out:
// checked tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "data/protocol.h"
#include "eval/average.h"

namespace actio::eval {

// A training whose scores enter a row.
struct PaperPart {
  std::string config;  // a file of configs/: "stfn/table1_design_a.toml"
  std::string head;    // of its network, alone; empty: what the network answers
  double weight = 1;   // in the row's fusion
};

// A figure for each column, in %; none where the paper has "-".
using PaperFigures = std::vector<std::optional<double>>;

struct PaperRow {
  std::string label;  // as in the paper
  PaperFigures paper = {};
  std::string with = {};              // features that the paper adds to this row, beside it
  PaperFigures paper_with = {};       // the figures with them
  std::optional<double> speed = {};   // of the paper, frames a second
  std::vector<PaperPart> parts = {};  // one, or several whose scores are fused; none where the row is absent
  std::string absent = {};            // why the row cannot be run
  std::string note = {};              // what differs from the paper's row
  data::ProtocolName protocol = data::ProtocolName::kCentre;  // of the test clips: the row's own, else the table's
  Average average = Average::kProbabilities;                  // what is averaged over views and fused
};

struct PaperTable {
  std::string name;  // "stfn-1"
  std::string caption;
  std::vector<std::string> columns;  // names of datasets: "HMDB51", "UCF101"
  std::string splits = "1";          // official ones that the figures are of: "1" or "all"
  data::ProtocolName protocol = data::ProtocolName::kCentre;  // of rows that have none of their own
  std::vector<std::string> keep =
      {};  // options that the rows compare, which nothing may change for all of them: "network.segments"
  std::vector<PaperRow> rows = {};
};

// Throws: Error(kUsage) naming `where`, the table, the row and the key for what is unknown, missing or of a wrong kind, a
// figure that is no percentage, and names that occur twice.
std::vector<PaperTable> read_paper_tables(const Json& file, const std::string& where);

// "all", the beginning of names ("stfn"), or names. Each table once, in the order of `tables`.
// Throws: Error(kUsage) naming the nearest.
std::vector<PaperTable> choose_tables(const std::vector<PaperTable>& tables, const std::vector<std::string>& names);

// Whether `text` names the row: its label, or that without the paper's reference ("TSN" for "TSN [46]").
bool is_label_of(const std::string& text, const PaperRow& row);

}  // namespace actio::eval
