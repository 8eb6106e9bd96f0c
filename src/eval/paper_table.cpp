#include "eval/paper_table.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"

namespace actio::eval {
namespace {

const Json* find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* key, const std::string& where,
                    std::optional<std::string> otherwise = {}) {
  const Json* value = find(object, key);
  if (value == nullptr && otherwise) return *otherwise;
  if (value == nullptr || !value->is_string()) fail_usage("{}: {} must be a text", where, key);
  return value->get<std::string>();
}

std::vector<std::string> texts_of(const Json& object, const char* key, const std::string& where) {
  const Json* value = find(object, key);
  if (value == nullptr) return {};
  const bool texts = value->is_array() && std::ranges::all_of(*value, [](const Json& entry) { return entry.is_string(); });
  if (!texts) fail_usage("{}: {} must be a list of texts", where, key);
  return value->get<std::vector<std::string>>();
}

double number_of(const Json& value, const char* key, const std::string& where) {
  if (!value.is_number()) fail_usage("{}: {} must be a number, got {}", where, key, value.dump());
  return value.get<double>();
}

void check_keys(const Json& object, const std::vector<std::string>& known, const std::string& where) {
  if (!object.is_object()) fail_usage("{}: must be a table, got {}", where, object.dump());
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(known, key) == known.end()) fail_usage("{}: {}", where, unknown_name_text("key", key, known));
  }
}

PaperFigures figures_of(const Json& object, std::size_t columns, const std::string& where) {
  const Json* list = find(object, "paper");
  if (list == nullptr || !list->is_array()) fail_usage("{}: paper must be a list of figures", where);
  if (list->size() != columns) fail_usage("{}: paper has {} figures, the table {} columns", where, list->size(), columns);
  PaperFigures figures;
  for (const Json& value : *list) {
    if (value == "-") {
      figures.emplace_back();
      continue;
    }
    const double figure = number_of(value, "paper", where);
    if (!(figure > 0 && figure <= 100)) fail_usage("{}: paper: {} is no percentage", where, figure);
    figures.emplace_back(figure);
  }
  return figures;
}

PaperPart part_of(const Json& object, const std::string& where) {
  PaperPart part;
  part.config = text_of(object, "config", where);
  part.head = text_of(object, "head", where, "");
  if (const Json* weight = find(object, "weight")) part.weight = number_of(*weight, "weight", where);
  if (!(part.weight > 0)) fail_usage("{}: weight must be above 0, got {}", where, part.weight);
  return part;
}

std::vector<PaperPart> parts_of(const Json& object, const std::string& where) {
  if (find(object, "config") != nullptr) return {part_of(object, where)};
  const Json* fuse = find(object, "fuse");
  if (fuse == nullptr) return {};
  if (!fuse->is_array() || fuse->size() < 2) fail_usage("{}: fuse must be a list of two parts or more", where);
  std::vector<PaperPart> parts;
  for (const Json& entry : *fuse) {
    check_keys(entry, {"config", "head", "weight"}, where + ": fuse");
    parts.push_back(part_of(entry, where + ": fuse"));
  }
  return parts;
}

data::ProtocolName protocol_of(const Json& object, const std::string& where, data::ProtocolName otherwise) {
  const std::string name = text_of(object, "protocol", where, std::string(name_of(otherwise)));
  data::ProtocolName protocol = otherwise;
  if (set_by_name(name, protocol)) return protocol;
  fail_usage("{}: {}", where, unknown_name_text("protocol", name, all_names<data::ProtocolName>()));
}

PaperRow row_of(const Json& object, const PaperTable& table, const std::string& where) {
  check_keys(object, {"label", "paper", "with", "speed", "config", "head", "fuse", "absent", "note", "protocol", "average"},
             where);
  const std::size_t columns = table.columns.size();
  PaperRow row;
  row.label = text_of(object, "label", where);
  const std::string place = fmt::format("{} '{}'", where, row.label);
  row.paper = figures_of(object, columns, place);
  if (const Json* with = find(object, "with")) {
    check_keys(*with, {"what", "paper"}, place + ": with");
    row.with = text_of(*with, "what", place);
    row.paper_with = figures_of(*with, columns, place + ": with");
  }
  if (const Json* speed = find(object, "speed")) row.speed = number_of(*speed, "speed", place);
  const auto ways =
      std::ranges::count_if(std::vector{"config", "fuse", "absent"}, [&](const char* key) { return object.contains(key); });
  if (ways != 1) fail_usage("{}: needs either config, fuse or absent", place);
  row.parts = parts_of(object, place);
  row.absent = text_of(object, "absent", place, "");
  row.note = text_of(object, "note", place, "");
  row.protocol = protocol_of(object, place, table.protocol);
  const std::string average = text_of(object, "average", place, std::string(name_of(row.average)));
  if (!set_by_name(average, row.average)) fail_usage("{}: average must be probabilities or logits, got '{}'", place, average);
  return row;
}

PaperTable table_of(const Json& object, const std::string& where) {
  check_keys(object, {"name", "caption", "columns", "splits", "protocol", "keep", "row"}, where);
  PaperTable table;
  table.name = text_of(object, "name", where);
  const std::string place = where + " " + table.name;
  table.caption = text_of(object, "caption", place);
  table.columns = texts_of(object, "columns", place);
  table.splits = text_of(object, "splits", place, table.splits);
  table.protocol = protocol_of(object, place, table.protocol);
  table.keep = texts_of(object, "keep", place);
  if (table.splits != "1" && table.splits != "all") fail_usage("{}: splits must be 1 or all, got '{}'", place, table.splits);
  const Json* rows = find(object, "row");
  if (rows == nullptr || !rows->is_array() || rows->empty() || table.columns.empty())
    fail_usage("{}: needs columns and rows", place);
  for (std::size_t i = 0; i < rows->size(); ++i) {
    PaperRow row = row_of(rows->at(i), table, fmt::format("{}: row {}", place, i + 1));
    const auto same = [&](const PaperRow& other) { return other.label == row.label; };
    if (std::ranges::any_of(table.rows, same)) fail_usage("{}: the row '{}' occurs twice", place, row.label);
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::vector<PaperTable> read_paper_tables(const Json& file, const std::string& where) {
  check_keys(file, {"table"}, where);
  const Json* list = find(file, "table");
  if (list == nullptr || !list->is_array()) fail_usage("{}: has no [[table]]", where);
  std::vector<PaperTable> tables;
  for (std::size_t i = 0; i < list->size(); ++i) {
    PaperTable table = table_of(list->at(i), fmt::format("{}: [[table]] {}", where, i + 1));
    const auto same = [&](const PaperTable& other) { return other.name == table.name; };
    if (std::ranges::any_of(tables, same)) fail_usage("{}: the table '{}' occurs twice", where, table.name);
    tables.push_back(std::move(table));
  }
  return tables;
}

std::vector<PaperTable> choose_tables(const std::vector<PaperTable>& tables, const std::vector<std::string>& names) {
  std::vector<std::string> known = {"all"};
  for (const PaperTable& table : tables) {
    const std::string paper = table.name.substr(0, table.name.rfind('-'));
    if (std::ranges::find(known, paper) == known.end()) known.push_back(paper);
  }
  for (const PaperTable& table : tables) known.push_back(table.name);
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) == known.end()) fail_usage("{}", unknown_name_text("table", name, known));
  }
  std::vector<PaperTable> chosen;
  for (const PaperTable& table : tables) {
    const auto names_it = [&](const std::string& name) {
      return name == "all" || name == table.name || name == table.name.substr(0, table.name.rfind('-'));
    };
    if (std::ranges::any_of(names, names_it)) chosen.push_back(table);
  }
  return chosen;
}

bool is_label_of(const std::string& text, const PaperRow& row) {
  return text == row.label || text == row.label.substr(0, row.label.find(" ["));
}

}  // namespace actio::eval
