// data: which clips there are, what they show and which of them are for testing. In: a folder per class, or a CSV file.
// Out: items with class indices, in a fixed order, and a split that keeps groups together.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/options.h"

namespace actio::data {

struct Item {
  std::string path;
  std::string label;
  std::int64_t class_index = -1;               // into Dataset::classes
  std::map<std::string, std::string> columns;  // every column of the CSV; empty for a folder
  std::string group;                           // items of one group are never on both sides of a split
};

struct Dataset {
  std::string source;
  std::vector<std::string> classes;  // sorted, or in the order of the column label_id
  std::vector<Item> items;
  std::vector<std::string> warnings;  // one line each: a class without a clip, a clip in two classes
};

struct DatasetOptions {
  std::vector<std::string> filter;  // "set=1" keeps rows with that value, "set=1|2" with either; all filters must hold
  std::string group;                // column that names the group; empty: the gNN of file names, else each file its own
  std::vector<std::string> fold;    // groups that form the test part
  double test_share = 0;            // without a fold: share of the groups held out, 0..1
  std::int64_t seed = 1;            // of the choice of those groups

  Fields fields();
};

struct Split {
  std::vector<Item> train, test;
};

// Reads `path`: a folder with one sub-folder per class (video files at any depth; hidden ones are skipped; links are
// followed, but not to a folder above or to another class), or a CSV file
// with the columns path and label (relative paths count from the CSV file). Classes are those of the whole table, except
// where a filter on label or label_id excludes them, so that the numbers of the classes do not depend on which part is read.
// A clip file that does not exist is found when it is read, not here.
// Throws: Error(kFailed) for a missing path, Error(kBadData) naming file, line and value, Error(kUsage) for an unknown
// column. A label that is not UTF-8, which no model file could hold, is kBadData too.
Dataset load_dataset(const std::string& path, const DatasetOptions& options = {});

// Divides the items by group; all are training items where neither a fold nor a share is given. The share is chosen so that
// every class comes as near to it as whole groups allow.
// Throws: Error(kUsage) for a fold that names no group, and for one that leaves nothing to train on.
Split split_dataset(const Dataset& dataset, const DatasetOptions& options);

}  // namespace actio::data
