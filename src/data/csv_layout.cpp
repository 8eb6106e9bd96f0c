#include <charconv>
#include <filesystem>

#include "core/error.h"
#include "data/csv.h"
#include "data/label.h"
#include "data/layouts.h"
#include "data/list_file.h"
#include "data/utf8.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

std::size_t required_column(const CsvTable& csv, std::string_view name) {
  const auto column = csv.column(name);
  if (!column)
    fail_data("{} line 1: no column '{}'; columns: {}", csv.source, name,
              shown(fmt::format("{}", fmt::join(csv.header, ", "))));
  return *column;
}

// Blanks around a value are no part of it: "jump" and " jump" are one class, "1" and " 1" one group.
CsvTable read_trimmed(const std::string& path) {
  CsvTable csv = read_csv(path);
  for (std::string& name : csv.header) name = std::string(trimmed_label(name));
  const auto path_column = csv.column("path");
  for (CsvRow& row : csv.rows) {
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      if (i != path_column) row.fields[i] = std::string(trimmed_label(row.fields[i]));
    }
  }
  return csv;
}

// A file's name may have blanks at its ends.
fs::path listed_path(const fs::path& folder, const std::string& text) {
  const std::string_view trimmed = trimmed_label(text);
  std::error_code code;
  const bool as_it_stands = trimmed.size() == text.size() || fs::exists(folder / text, code);
  return folder / (as_it_stands ? text : std::string(trimmed));
}

}  // namespace

Table read_csv_table(const std::string& path, const DatasetOptions& options) {
  const CsvTable csv = read_trimmed(path);
  const std::size_t path_column = required_column(csv, "path");
  const std::size_t label_column = required_column(csv, "label");
  const fs::path folder = options.root.empty() ? fs::path(path).parent_path() : fs::path(options.root);
  Table table{csv.header, {}, {}};
  table.layout = Layout::kCsv;
  for (const CsvRow& row : csv.rows) {
    for (const std::size_t column : {path_column, label_column}) {
      if (trimmed_label(row.fields[column]).empty())
        fail_data("{} line {}: {} is empty", path, row.line, csv.header[column]);
    }
    if (const std::string& label = row.fields[label_column]; !is_utf8(label)) {
      fail_data("{} line {}: the label '{}' is not UTF-8", path, row.line, shown(label));
    }
    Item item{listed_path(folder, row.fields[path_column]).string(), row.fields[label_column], -1, {}, {}};
    for (std::size_t i = 0; i < csv.header.size(); ++i) item.columns[csv.header[i]] = row.fields[i];
    if (item.columns.contains("label_id")) {
      const std::string& text = item.columns["label_id"];
      std::int64_t id = 0;
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id);
      if (code != std::errc() || end != text.data() + text.size()) {
        fail_data("{} line {}: label_id must be a whole number, got '{}'", path, row.line, shown(text));
      }
    }
    table.items.push_back(std::move(item));
  }
  if (table.items.empty()) fail_data("{}: a header and no rows", path);
  return table;
}

}  // namespace actio::data
