// data: one reader per layout. In: a path and what the user said about it. Out: a table, before filters and groups.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace actio::data {

struct Table {
  std::vector<std::string> columns;
  std::vector<Item> items;
  std::vector<std::string> warnings;
  std::vector<std::string> classes = {};  // in their order; empty: they follow from label and label_id
  std::vector<std::string> ids = {};      // with `classes`: the label_id of each
  Layout layout = Layout::kAuto;  // until its reader says which
  std::string protocol = {};  // as Dataset::protocol
  std::string ignored = {};   // as Dataset::ignored
};

// Finds out the layout where it is kAuto, and reads. Throws: as load_dataset.
Table read_table(const std::string& path, const DatasetOptions& options);

Table read_folder(const std::string& path, const DatasetOptions& options);
Table read_csv_table(const std::string& path, const DatasetOptions& options);
Table read_lists(const std::string& path, const DatasetOptions& options);

// The layout of a file: kCsv where its first line is a header, kList where it is an entry.
Layout layout_of_file(const std::string& path);

}  // namespace actio::data
