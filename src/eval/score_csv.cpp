#include "eval/score_csv.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "core/file.h"
#include "data/csv.h"
#include "data/list_file.h"

namespace actio::eval {
namespace {

constexpr std::ptrdiff_t kMostFields = std::ptrdiff_t{1} << 26;  // each costs 32 bytes and more
constexpr const char* kFirstColumns[] = {"path", "label", "kind"};

struct Layout {
  std::size_t first_score = 2;
  bool has_kind = false;
  std::unordered_map<std::string, std::int64_t> class_of;
};

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

template <typename T>
bool parse_whole(std::string_view text, T& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size();
}

// Floats that are written with all their digits come back as they were.
float parse_score(std::string_view field, const std::string& place) {
  std::string_view text = without_blanks(field);
  if (text.starts_with('+')) text.remove_prefix(1);
  float value = 0;
  if (parse_whole(text, value)) return value;
  double wide = 0;  // for what is too small for a float
  if (!parse_whole(text, wide)) fail_data("{}: a score must be a number, got '{}'", place, data::shown(field));
  return static_cast<float>(wide);
}

Layout layout_of(const data::CsvTable& csv, ScoreTable& table) {
  Layout layout;
  const auto& header = csv.header;
  if (header.size() < 2 || header[0] != "path" || header[1] != "label") {
    fail_data("{} line 1: expected the columns path, label and one per class, got '{}'", csv.source,
              data::shown(fmt::format("{}", fmt::join(header, ","))));
  }
  layout.has_kind = header.size() > 2 && header[2] == "kind";
  layout.first_score = layout.has_kind ? 3 : 2;
  table.classes.assign(header.begin() + static_cast<std::ptrdiff_t>(layout.first_score), header.end());
  if (table.classes.empty()) fail_data("{} line 1: no column of scores; columns: {}", csv.source, fmt::join(header, ", "));
  bool numbered = true;
  for (std::size_t c = 0; c < table.classes.size(); ++c) {
    if (table.classes[c].empty()) fail_data("{} line 1: column {} has no name", csv.source, layout.first_score + c + 1);
    layout.class_of.emplace(table.classes[c], static_cast<std::int64_t>(c));
    numbered = numbered && table.classes[c] == std::to_string(c);
  }
  if (numbered) table.classes.clear();
  return layout;
}

std::int64_t label_of(const std::string& text, const Layout& layout, const std::string& place) {
  if (const auto found = layout.class_of.find(text); found != layout.class_of.end()) return found->second;
  const auto count = static_cast<std::int64_t>(layout.class_of.size());
  std::int64_t label = -1;
  if (!text.empty() && (!parse_whole<std::int64_t>(text, label) || label < -1 || label >= count)) {
    fail_data("{}: the label '{}' is neither a column nor an index of {} classes", place, data::shown(text), count);
  }
  return label;
}

// Of all rows; kUnknown where none says it.
void take_kind(const std::string& text, bool first, const std::string& place, ScoreKind& kind) {
  if (!text.empty() && text != "logits" && text != "probabilities") {
    fail_data("{}: kind must be logits, probabilities or empty, got '{}'", place, data::shown(text));
  }
  const ScoreKind here = text.empty() ? ScoreKind::kUnknown : score_kind_from_name(text);
  if (first) kind = here;
  if (here != kind) {
    fail_data("{}: kind is '{}', in the rows before it is '{}'", place, text, score_kind_name(kind));
  }
}

}  // namespace

ScoreTable read_score_csv(const std::string& path) {
  const std::string text = read_text_file(path);
  const auto fields = std::ranges::count(text, ',') + std::ranges::count(text, '\n');
  if (fields > kMostFields)
    fail_data("{}: about {} fields, at most {} are read; write .npy instead", path, fields, kMostFields);
  const data::CsvTable csv = data::parse_csv(text, path);
  ScoreTable table;
  table.source = path;
  const Layout layout = layout_of(csv, table);
  const std::size_t classes = csv.header.size() - layout.first_score;
  if (csv.rows.empty()) fail_data("{}: a header and no rows", path);
  table.scores = Tensor({static_cast<std::int64_t>(csv.rows.size()), static_cast<std::int64_t>(classes)});
  float* out = table.scores.data<float>();
  for (const data::CsvRow& row : csv.rows) {
    const std::string place = fmt::format("{} line {}", path, row.line);
    if (row.fields[0].empty()) fail_data("{}: path is empty", place);
    if (layout.has_kind) take_kind(row.fields[2], table.paths.empty(), place, table.kind);
    table.paths.push_back(row.fields[0]);
    table.labels.push_back(label_of(row.fields[1], layout, place));
    for (std::size_t c = 0; c < classes; ++c) *out++ = parse_score(row.fields[layout.first_score + c], place);
  }
  return table;
}

std::vector<std::string> csv_columns(const ScoreTable& table, const std::string& path) {
  const std::vector<std::string> names = class_names_of(table);
  std::set<std::string> columns(std::begin(kFirstColumns), std::end(kFirstColumns));
  for (const std::string& name : names) {
    if (name.empty()) fail_usage("{}: a CSV cannot have a column without a name, but one class has none; write .npy instead", path);
    if (columns.insert(name).second) continue;
    fail_usage("{}: a CSV cannot have two columns '{}', but that class would be one; write .npy instead", path,
               data::shown(name));
  }
  return names;
}

std::string score_csv_text(const ScoreTable& table, const std::string& path) {
  const std::vector<std::string> names = csv_columns(table, path);
  const bool by_name = !table.classes.empty();
  std::string text = fmt::format("{}", fmt::join(kFirstColumns, ","));
  for (const std::string& name : names) text += "," + data::csv_field(name);
  text += "\n";
  const float* value = table.scores.data<float>();
  for (std::size_t i = 0; i < table.paths.size(); ++i) {
    const std::int64_t label = table.labels[i];
    text += data::csv_field(table.paths[i]) + ",";
    if (label >= 0) text += by_name ? data::csv_field(names[static_cast<std::size_t>(label)]) : std::to_string(label);
    text += fmt::format(",{}", score_kind_name(table.kind));
    for (std::size_t c = 0; c < names.size(); ++c) text += fmt::format(",{}", *value++);
    text += "\n";
  }
  return text;
}

}  // namespace actio::eval
