#include "data/dataset.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "core/error.h"
#include "data/csv.h"
#include "data/utf8.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr std::array kVideoExtensions = {".mp4", ".avi",  ".mkv", ".mov",  ".webm", ".mpg",  ".mpeg", ".m4v", ".wmv",
                                         ".flv", ".3gp",  ".3g2", ".ts",   ".mts",  ".m2ts", ".ogv",  ".m1v", ".m2v",
                                         ".vob", ".h264", ".264", ".divx", ".asf",  ".y4m",  ".mjpg", ".hevc"};

bool is_video(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kVideoExtensions, extension) != kVideoExtensions.end();
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    if (!is_hidden(entry->path())) entries.push_back(entry->path());
  }
  if (code) fail("{}: cannot be listed: {}", folder.string(), code.message());
  std::ranges::sort(entries);
  return entries;
}

// Follows links to folders, but only into those that are not in `visited` yet.
void find_videos(const fs::path& folder, std::set<fs::path>& visited, std::vector<fs::path>& videos) {
  std::error_code code;
  for (const fs::path& entry : sorted_entries(folder)) {
    if (!fs::is_directory(entry, code)) {
      if (is_video(entry)) videos.push_back(entry);
      continue;
    }
    const fs::path real = fs::canonical(entry, code);
    if (!code && visited.insert(real).second) find_videos(entry, visited, videos);
  }
}

void insert_with_parents(const fs::path& folder, std::set<fs::path>& folders) {
  for (fs::path at = folder; folders.insert(at).second && at.has_relative_path();) at = at.parent_path();
}

// The gNN of "v_Archery_g07_c02.avi", or nothing.
std::optional<std::string> group_of_file_name(const std::string& path) {
  const std::string stem = fs::path(path).stem().string();
  for (std::size_t at = stem.rfind("_g"); at != std::string::npos && at + 2 < stem.size(); at = stem.rfind("_g", at - 1)) {
    const std::size_t end = std::min(stem.find_first_not_of("0123456789", at + 2), stem.size());
    if (end > at + 2 && (end == stem.size() || stem[end] == '_')) return stem.substr(at + 1, end - at - 1);
    if (at == 0) break;
  }
  return std::nullopt;
}

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
    filter.values.insert(text.substr(begin, end - begin));
    if (end == text.size()) return filter;
    begin = end + 1;
  }
}

const std::string& column_of(const Item& item, const std::string& name) {
  if (name == "label") return item.label;
  if (const auto found = item.columns.find(name); found != item.columns.end()) return found->second;
  return item.path;
}

bool passes(const Item& item, const Filter& filter) { return filter.values.contains(column_of(item, filter.column)); }

// What a folder or a CSV file says, before any filter.
struct Table {
  std::vector<std::string> columns;
  std::vector<Item> items;
  std::vector<std::string> warnings;
};

Table read_folder(const std::string& path) {
  Table table{{"path", "label"}, {}, {}};
  std::vector<fs::path> classes;
  std::set<fs::path> above;     // the root and the folders that hold it
  std::set<fs::path> reserved;  // those, and the classes and what holds them: no class reaches them by a link
  std::error_code code;
  insert_with_parents(fs::canonical(path, code), above);
  reserved = above;
  bool loose = false;
  for (const fs::path& entry : sorted_entries(path)) {
    if (!fs::is_directory(entry, code)) {
      loose = loose || is_video(entry);
      continue;
    }
    const fs::path real = fs::canonical(entry, code);
    if (above.contains(real)) {
      table.warnings.push_back(fmt::format("{}: links to {}, which it lies in, so no class", entry.string(), real.string()));
      continue;
    }
    insert_with_parents(real, reserved);
    classes.push_back(entry);
  }
  for (const fs::path& entry : classes) {
    std::set<fs::path> visited = reserved;
    std::vector<fs::path> videos;
    find_videos(entry, visited, videos);
    const std::string label = entry.filename().string();
    if (videos.empty()) {
      table.warnings.push_back(fmt::format("{}: no video, so no class", entry.string()));
    } else if (!is_utf8(label)) {
      fail_data("{}: the folder name '{}' is not UTF-8, so it cannot be a class", path, escaped(label));
    }
    for (const fs::path& video : videos) table.items.push_back({video.string(), label, -1, {}, {}});
  }
  if (table.items.empty()) {
    fail_data("{}: no class; one folder per class with videos inside was expected{}", path,
              loose ? ", the videos here lie beside each other" : "");
  }
  return table;
}

std::size_t required_column(const CsvTable& csv, std::string_view name) {
  const auto column = csv.column(name);
  if (!column) fail_data("{} line 1: no column '{}'; columns: {}", csv.source, name, fmt::join(csv.header, ", "));
  return *column;
}

Table read_table(const std::string& path) {
  const CsvTable csv = read_csv(path);
  const std::size_t path_column = required_column(csv, "path");
  const std::size_t label_column = required_column(csv, "label");
  const fs::path folder = fs::path(path).parent_path();
  Table table{csv.header, {}, {}};
  for (const CsvRow& row : csv.rows) {
    for (const std::size_t column : {path_column, label_column}) {
      if (row.fields[column].empty()) fail_data("{} line {}: {} is empty", path, row.line, csv.header[column]);
    }
    if (const std::string& label = row.fields[label_column]; !is_utf8(label)) {
      fail_data("{} line {}: the label '{}' is not UTF-8", path, row.line, escaped(label));
    }
    Item item{(folder / row.fields[path_column]).string(), row.fields[label_column], -1, {}, {}};
    for (std::size_t i = 0; i < csv.header.size(); ++i) item.columns[csv.header[i]] = row.fields[i];
    if (item.columns.contains("label_id")) {
      const std::string& text = item.columns["label_id"];
      std::int64_t id = 0;
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id);
      if (code != std::errc() || end != text.data() + text.size()) {
        fail_data("{} line {}: label_id must be a whole number, got '{}'", path, row.line, text);
      }
    }
    table.items.push_back(std::move(item));
  }
  if (table.items.empty()) fail_data("{}: a header and no rows", path);
  return table;
}

// One warning for every two classes that have a clip in common: it teaches both.
std::vector<std::string> shared_clips(const std::vector<Item>& items, const std::string& source) {
  struct Shared {
    std::string path;
    std::int64_t count = 0;
  };
  std::map<fs::path, const Item*> first_of;
  std::map<std::pair<std::string, std::string>, Shared> shared;
  for (const Item& item : items) {
    std::error_code code;
    const bool from_folder = item.columns.empty();  // only there do all files exist
    fs::path real = from_folder ? fs::canonical(item.path, code) : fs::path(item.path).lexically_normal();
    if (code) continue;
    const Item& first = *first_of.emplace(std::move(real), &item).first->second;
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
  for (Item& item : dataset.items) {
    item.group = options.group.empty() ? group_of_file_name(item.path).value_or(item.path) : column_of(item, options.group);
  }
}

}  // namespace

Fields DatasetOptions::fields() {
  return {
      {"filter", &filter, "COLUMN=VALUE or COLUMN=A|B: keep only such rows; several must all hold", {}},
      {"group", &group, "column whose values are never divided between training and test; empty: the gNN of file names", {}},
      {"fold", &fold, "groups that form the test part", {}},
      {"test_share", &test_share, "without a fold: share of the groups held out for testing", {}, 0, 1},
      {"split_seed", &seed, "seed of the choice of those groups", {}},
  };
}

Dataset load_dataset(const std::string& path, const DatasetOptions& options) {
  std::error_code code;
  if (!fs::exists(path, code)) fail("{}: no such file or folder", path);
  Table table = fs::is_directory(path, code) ? read_folder(path) : read_table(path);
  const std::vector<Filter> filters = parse_filters(options, table.columns, path);
  const auto on_label = [](const Filter& filter) { return filter.column == "label" || filter.column == "label_id"; };

  std::erase_if(table.items, [&](const Item& item) {
    return std::ranges::any_of(filters, [&](const Filter& filter) { return on_label(filter) && !passes(item, filter); });
  });
  Dataset dataset{path, class_names(table.items, path), std::move(table.items), std::move(table.warnings)};
  std::erase_if(dataset.items, [&](const Item& item) {
    return !std::ranges::all_of(filters, [&](const Filter& filter) { return passes(item, filter); });
  });
  if (dataset.items.empty()) fail_data("{}: no item passes the filter {}", path, fmt::join(options.filter, " and "));

  std::map<std::string, std::int64_t> index_of;
  for (std::size_t i = 0; i < dataset.classes.size(); ++i) index_of[dataset.classes[i]] = static_cast<std::int64_t>(i);
  std::vector<std::int64_t> counts(dataset.classes.size());
  for (Item& item : dataset.items) {
    item.class_index = index_of.at(item.label);
    ++counts[static_cast<std::size_t>(item.class_index)];
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) dataset.warnings.push_back(fmt::format("{}: class '{}' has no clip", path, dataset.classes[i]));
  }
  std::ranges::move(shared_clips(dataset.items, path), std::back_inserter(dataset.warnings));
  set_groups(dataset, options, table.columns);
  return dataset;
}

}  // namespace actio::data
