// data: which clips there are, what they show and which of them are for testing. In: a folder per class, such folders in
// parts, a CSV file, the official lists of UCF101 or HMDB51, or lists as TSN and MMAction2 write them. Out: items with class
// indices, in a fixed order, and a split that keeps groups together.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace actio {
namespace data {

enum class Part { kNone, kTrain, kTest, kUnused, kValidation };

enum class Layout { kAuto, kFolder, kSplitFolders, kCsv, kUcf101, kHmdb51, kList };
enum class ValFolder { kAuto, kValidation, kTest };  // what it is for; kAuto: testing where there is no folder test

}  // namespace data

template <>
inline constexpr auto kNames<data::Layout> = NameTable<data::Layout, 7>{
    {{data::Layout::kAuto, "auto"}, {data::Layout::kFolder, "folder"}, {data::Layout::kSplitFolders, "split_folders"},
     {data::Layout::kCsv, "csv"}, {data::Layout::kUcf101, "ucf101"}, {data::Layout::kHmdb51, "hmdb51"},
     {data::Layout::kList, "list"}}};
template <>
inline constexpr auto kNames<data::ValFolder> = NameTable<data::ValFolder, 3>{
    {{data::ValFolder::kAuto, "auto"}, {data::ValFolder::kValidation, "validation"}, {data::ValFolder::kTest, "test"}}};

}  // namespace actio

namespace actio::data {

inline bool is_official(Layout layout) { return layout == Layout::kUcf101 || layout == Layout::kHmdb51; }

// "train", "test", "unused", "validation"; "" for kNone.
const char* part_name(Part part);

struct Item {
  std::string path;
  std::string label;
  std::int64_t class_index = -1;               // into Dataset::classes
  std::map<std::string, std::string> columns;  // of the CSV; of lists path, label, label_id, part; empty for a folder
  std::string group;                           // items of one group are never on both sides of a split
  Part part = Part::kNone;  // what lists or folders say; kNone where none do, or a fold or share divides instead
  std::string file = {};    // file_identity of `path`
};

struct Dataset {
  std::string source;
  std::vector<std::string> classes;  // sorted, in the order of the column label_id, or as the lists number them
  std::vector<Item> items;
  std::vector<std::string> warnings;  // one line each: a class without a clip, a clip in two classes
  Layout layout = Layout::kAuto;      // not kAuto once it is loaded
  std::string protocol;               // what divides the items: "UCF101 split 1"; empty where Item::part does not
  std::string ignored = {};  // one line about files in the folders that are no clips of a class; empty where all are
};

struct DatasetOptions {
  static constexpr std::string_view kTable = "data";

  Layout layout = Layout::kAuto;    // how the data lies; docs/datasets.md
  std::string root;                 // where relative paths of a CSV or list count from; empty: its own folder
  std::string annotations;          // folder of the official lists; empty: in the dataset's folder or beside it
  std::int64_t split = 0;           // which official split, 1..3; 0: the first, unless fold or test_share divide
  std::string test_list;            // layout list: the test part
  std::string class_names;          // layout list: a name a line, in the order of the class indices
  ValFolder val_folder = ValFolder::kAuto;  // layout split_folders
  std::vector<std::string> filter;  // "set=1" keeps rows with that value, "set=1|2" with either; all filters must hold
  std::string group;                // column that names the group; empty: from UCF101's and HMDB51's file names, else each
                                    // file its own
  std::vector<std::string> fold;    // groups that form the test part
  double test_share = 0;            // without a fold: share of the groups held out, 0..1
  double validation_share = 0;      // share of the training part's groups that are held out to choose the best model by, 0..1
  std::int64_t seed = 1;            // of the choice of those groups

  Fields fields();
};

struct Split {
  std::vector<Item> train, validation, test;
};

// Reads `path` by its layout. split_folders: folders train, val and test with those of the classes inside. folder: one
// sub-folder per class (video files at any depth; hidden ones are skipped; links are followed, but not to a folder above or
// to another class). csv: the columns path and label. ucf101, hmdb51: the folder of the videos and the official lists. list:
// "path label" or "path frames label" a line. Relative paths count from the file. Classes are those of the whole table,
// except where a filter on label or label_id excludes them, so that the numbers of the classes do not depend on which part
// is read. Lists need no videos: what is missing is a warning here, and an error when it is read.
// Throws: Error(kFailed) for a missing path, Error(kBadData) naming file, line and value, Error(kUsage) for an unknown column and for options that
// contradict each other. A label that is not UTF-8, which no model file could hold, is kBadData.
Dataset load_dataset(const std::string& path, const DatasetOptions& options = {});

// Whether lists, a fold or a share divide the items.
bool is_divided(const Dataset& dataset, const DatasetOptions& options);

// The part of every item: by fold or share where one is given, else by the lists, else all kTrain. The share is chosen so
// that every class comes as near to it as whole groups allow.
// Throws: Error(kUsage) for a fold that names no group.
std::vector<Part> parts_of(const Dataset& dataset, const DatasetOptions& options);

// Divides the items by parts_of; unused ones are in no part. Throws: as parts_of, and Error(kBadData) for a file that is in
// two parts, under one name or under two that lead to it.
Split divide(const Dataset& dataset, const DatasetOptions& options);

// As divide, and what is for training once more by validation_share, in whole groups as well.
// Throws: as divide, and Error(kUsage) where nothing is left to train on, and for a validation_share beside a part for
// validation.
Split split_dataset(const Dataset& dataset, const DatasetOptions& options);

// What makes a division doubtful, one line each: classes that are in some parts only, files of different names with the same
// content in two parts. Reads only files that have the same size.
std::vector<std::string> split_warnings(const Dataset& dataset, const Split& split);

// Throws: Error(kBadData) where there are less than two classes, which nothing can be learned from.
void require_classes(const Dataset& dataset);

}  // namespace actio::data
