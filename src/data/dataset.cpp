#include "data/dataset.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "core/error.h"
#include "data/file_identity.h"
#include "data/group.h"
#include "data/label.h"
#include "data/layouts.h"
#include "data/list_file.h"

namespace actio::data {
namespace {

struct Filter {
  std::string column;
  std::set<std::string> values;
};

Filter parse_filter(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) fail_usage("filter '{}': COLUMN=VALUE was expected", text);
  Filter filter{text.substr(0, equals), {}};
  std::size_t begin = equals + 1;
  while (true) {
    const std::size_t end = std::min(text.find('|', begin), text.size());
    filter.values.emplace(trimmed_label(std::string_view(text).substr(begin, end - begin)));
    if (end == text.size()) return filter;
    begin = end + 1;
  }
}

const std::string& column_of(const Item& item, const std::string& name) {
  if (name == "label") return item.label;
  if (const auto found = item.columns.find(name); found != item.columns.end()) return found->second;
  return item.path;
}

bool is_on_label(const Filter& filter) { return filter.column == "label" || filter.column == "label_id"; }

bool passes(const Item& item, const Filter& filter) { return filter.values.contains(column_of(item, filter.column)); }

// One warning for every two classes that have a clip in common: it teaches both.
std::vector<std::string> shared_clips(const std::vector<Item>& items, const std::string& source) {
  struct Shared {
    std::string path;
    std::int64_t count = 0;
  };
  std::map<std::string, const Item*> first_of;
  std::map<std::pair<std::string, std::string>, Shared> shared;
  for (const Item& item : items) {
    const Item& first = *first_of.emplace(item.file, &item).first->second;
    if (first.label == item.label) continue;
    Shared& both = shared[std::minmax(first.label, item.label)];
    if (both.count++ == 0) both.path = item.path;
  }
  std::vector<std::string> warnings;
  for (const auto& [labels, both] : shared) {
    warnings.push_back(fmt::format("{}: '{}' is in class '{}' and in class '{}'{}", source, both.path, labels.first,
                                   labels.second,
                                   both.count > 1 ? fmt::format("; so are {} more", both.count - 1) : std::string()));
  }
  return warnings;
}

// Class names in the order of label_id, where there is such a column; else sorted.
std::vector<std::string> class_names(const std::vector<Item>& items, const std::string& source) {
  std::map<std::string, std::int64_t> id_of;
  std::map<std::int64_t, std::string> label_of;
  std::set<std::string> labels;
  for (const Item& item : items) {
    labels.insert(item.label);
    const auto column = item.columns.find("label_id");
    if (column == item.columns.end()) continue;
    const std::int64_t id = std::stoll(column->second);
    if (const auto known = id_of.emplace(item.label, id).first; known->second != id) {
      fail_data("{}: label '{}' has label_id {} and {}", source, item.label, known->second, id);
    }
    if (const auto known = label_of.emplace(id, item.label).first; known->second != item.label) {
      fail_data("{}: label_id {} stands for '{}' and '{}'", source, id, known->second, item.label);
    }
  }
  if (label_of.empty()) return {labels.begin(), labels.end()};
  std::vector<std::string> names;
  for (const auto& [id, label] : label_of) names.push_back(label);
  return names;
}

std::vector<Filter> parse_filters(const DatasetOptions& options, const std::vector<std::string>& columns,
                                  const std::string& source) {
  std::vector<Filter> filters;
  for (const std::string& text : options.filter) {
    filters.push_back(parse_filter(text));
    const std::string& column = filters.back().column;
    if (std::ranges::find(columns, column) == columns.end()) {
      fail_usage("{}: filter '{}': {}", source, text, unknown_name_text("column", column, columns));
    }
  }
  return filters;
}

void set_groups(Dataset& dataset, const DatasetOptions& options, const std::vector<std::string>& columns) {
  if (!options.group.empty() && std::ranges::find(columns, options.group) == columns.end()) {
    fail_usage("{}: group: {}", dataset.source, unknown_name_text("column", options.group, columns));
  }
  std::map<std::string, std::string> path_of;  // where each file is its own group, all its names are
  for (Item& item : dataset.items) {
    const std::string& first = path_of.emplace(item.file, item.path).first->second;
    item.group = options.group.empty() ? group_of_file_name(item.path).value_or(first) : column_of(item, options.group);
  }
}

// The classes whose name and number the filters let through, in the order of the table.
std::vector<std::string> listed_classes(const Table& table, const std::vector<Filter>& filters) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < table.classes.size(); ++i) {
    Item item{{}, table.classes[i], -1, {}, {}};
    if (!table.ids.empty()) item.columns["label_id"] = table.ids[i];
    const auto excludes = [&](const Filter& filter) { return is_on_label(filter) && !passes(item, filter); };
    if (!std::ranges::any_of(filters, excludes)) names.push_back(table.classes[i]);
  }
  return names;
}

// Numbers the items and warns of classes that have none.
void set_classes(Dataset& dataset) {
  constexpr std::size_t kShown = 5;
  std::map<std::string, std::int64_t> index_of;
  for (std::size_t i = 0; i < dataset.classes.size(); ++i) index_of[dataset.classes[i]] = static_cast<std::int64_t>(i);
  std::vector<std::int64_t> counts(dataset.classes.size());
  for (Item& item : dataset.items) {
    item.class_index = index_of.at(item.label);
    ++counts[static_cast<std::size_t>(item.class_index)];
  }
  std::size_t empty = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0 || ++empty > kShown) continue;
    dataset.warnings.push_back(fmt::format("{}: class '{}' has no clip", dataset.source, dataset.classes[i]));
  }
  if (empty > kShown) {
    dataset.warnings.push_back(fmt::format("{}: {} more classes have no clip", dataset.source, empty - kShown));
  }
}

// A recording that the lists have in two parts lets the test part be known by heart. Groups that were read from file names
// count within their class.
void warn_of_divided_groups(Dataset& dataset, const DatasetOptions& options) {
  std::map<std::pair<std::string, std::string>, std::set<Part>> parts_of_group;
  for (const Item& item : dataset.items) {
    if (item.part == Part::kNone || item.part == Part::kUnused) continue;
    parts_of_group[{options.group.empty() ? item.label : std::string(), item.group}].insert(item.part);
  }
  std::int64_t count = 0;
  std::string first, where;
  for (const auto& [group, parts] : parts_of_group) {
    if (parts.size() < 2 || count++ > 0) continue;
    first = group.first.empty() ? group.second : group.first + " " + group.second;
    where = !parts.contains(Part::kValidation) ? "the training and in the test part"
            : parts.contains(Part::kTrain)     ? "the training and in the validation part"
                                               : "the validation and in the test part";
  }
  if (count == 0) return;
  dataset.warnings.push_back(fmt::format("{}: group '{}' has clips in {}{}", dataset.source, first, where,
                                         count > 1 ? fmt::format("; so have {} more", count - 1) : std::string()));
}

const char* expectation_of(const Dataset& dataset) {
  if (dataset.layout == Layout::kSplitFolders) return "folders train and val or test with a folder per class in each";
  if (dataset.layout == Layout::kCsv) return "a column 'label' with a name for each class";
  return dataset.layout == Layout::kList ? "an index per class" : "a folder per class with its clips inside";
}

// Of the whole dataset, where no filter chose a part of it.
void warn_of_few(Dataset& dataset, const DatasetOptions& options) {
  if (!options.filter.empty()) return;
  if (dataset.classes.size() == 1) {
    dataset.warnings.push_back(fmt::format("{}: one class only, '{}'; {} was expected", dataset.source,
                                           shown(dataset.classes[0]), expectation_of(dataset)));
    return;
  }
  std::set<std::int64_t> seen;
  const bool each_once =
      std::ranges::all_of(dataset.items, [&](const Item& item) { return seen.insert(item.class_index).second; });
  if (!each_once || seen.size() < dataset.classes.size() || !dataset.protocol.empty()) return;
  dataset.warnings.push_back(fmt::format("{}: each of the {} classes has one clip only; {} was expected", dataset.source,
                                         seen.size(), expectation_of(dataset)));
}

}  // namespace

const char* part_name(Part part) {
  static constexpr const char* kNames[] = {"", "train", "test", "unused", "validation"};
  return kNames[static_cast<std::size_t>(part)];
}

Fields DatasetOptions::fields() {
  return {
      choice_field("layout", &layout,
                   "how the data lies: a folder per class, such folders in train, val and test, a CSV, official lists, or TSN's and "
                   "MMAction2's lists"),
      {"root", &root, "folder that relative paths of a CSV or list count from; empty: the file's own", {}},
      {"annotations", &annotations, "folder of the official lists of UCF101 or HMDB51; empty: looked for", {}},
      {"split", &split, "official split, 1 to 3; 0: the first, unless fold or test_share divide the clips", {}, 0, 3},
      {"test_list", &test_list, "layout list: file that lists the test part", {}},
      {"class_names", &class_names, "layout list: file with a class name a line, in the order of the class indices", {}},
      choice_field("val_folder", &val_folder,
                   "layout split_folders: what the folder val is for; auto: test where there is no folder test"),
      {"filter", &filter, "COLUMN=VALUE or COLUMN=A|B: keep only such rows; several must all hold", {}},
      {"group",
       &group,
       "column whose values are never divided between training and test; empty: from UCF101's and HMDB51's file names",
       {}},
      {"fold", &fold, "groups that form the test part", {}},
      {"test_share", &test_share, "without a fold: share of the groups held out for testing", {}, 0, 1},
      {"validation_share",
       &validation_share,
       "share of the training part's groups held out to choose the best model by",
       {},
       0,
       0.99},
      {"split_seed", &seed, "seed of the choice of those groups", {}},
  };
}

Dataset load_dataset(const std::string& path, const DatasetOptions& options) {
  Table table = read_table(path, options);
  const std::vector<Filter> filters = parse_filters(options, table.columns, path);
  std::erase_if(table.items, [&](const Item& item) {
    return std::ranges::any_of(filters, [&](const Filter& filter) { return is_on_label(filter) && !passes(item, filter); });
  });
  std::vector<std::string> classes = table.classes.empty() ? class_names(table.items, path) : listed_classes(table, filters);
  Dataset dataset{path,         std::move(classes), std::move(table.items), std::move(table.warnings),
                  table.layout, table.protocol,     table.ignored};
  std::erase_if(dataset.items, [&](const Item& item) {
    return !std::ranges::all_of(filters, [&](const Filter& filter) { return passes(item, filter); });
  });
  if (dataset.items.empty()) fail_data("{}: no item passes the filter {}", path, fmt::join(options.filter, " and "));
  for (Item& item : dataset.items) item.file = file_identity(item.path);
  set_classes(dataset);
  warn_of_few(dataset, options);
  std::ranges::move(look_alikes(dataset.classes, path), std::back_inserter(dataset.warnings));
  std::ranges::move(shared_clips(dataset.items, path), std::back_inserter(dataset.warnings));
  set_groups(dataset, options, table.columns);
  warn_of_divided_groups(dataset, options);
  return dataset;
}

void require_classes(const Dataset& dataset) {
  if (dataset.classes.size() > 1) return;
  fail_data("{}: one class only, '{}', which nothing can be learned from; {} was expected", dataset.source,
            dataset.classes.empty() ? "" : shown(dataset.classes[0]), expectation_of(dataset));
}

}  // namespace actio::data
