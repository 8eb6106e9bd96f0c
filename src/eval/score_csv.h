// eval: scores as a table: path, label, kind, then a column per class. In: a CSV. Out: a ScoreTable, and back.
#pragma once

#include <string>
#include <vector>

#include "eval/score_table.h"

namespace actio::eval {

// The label is a class name of the header or an index; empty or -1 where it is not known. The column "kind" may be missing.
// Columns named 0, 1, 2, ... are classes without names. Throws: Error(kBadData) naming file, line and value; as
// data::read_csv.
ScoreTable read_score_csv(const std::string& path);

// The columns behind the first ones: class names, or numbers where there are none.
// Throws: Error(kUsage) for a class without a name or named as one of the first columns, or two of one name.
std::vector<std::string> csv_columns(const ScoreTable& table, const std::string& path);

// Throws: as csv_columns.
std::string score_csv_text(const ScoreTable& table, const std::string& path);

}  // namespace actio::eval
