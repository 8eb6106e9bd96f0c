#include "data/csv.h"

#include <algorithm>

#include "core/error.h"
#include "core/file.h"

namespace actio::data {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t line() const { return line_; }

  // One record; empty for a blank line.
  std::vector<std::string> record() {
    std::vector<std::string> fields;
    if (end_of_line()) return fields;
    while (true) {
      fields.push_back(text_[at_] == '"' ? quoted() : plain());
      if (at_end() || end_of_line()) return fields;
      ++at_;  // the comma
      if (at_end()) {
        fields.emplace_back();
        return fields;
      }
    }
  }

 private:
  // Steps over a line end where there is one.
  bool end_of_line() {
    if (text_.substr(at_, 2) == "\r\n") {
      at_ += 2;
    } else if (!at_end() && (text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    } else {
      return false;
    }
    ++line_;
    return true;
  }

  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string field(text_.substr(at_, end - at_));
    at_ = end;
    return field;
  }

  std::string quoted() {
    const std::size_t first_line = line_;
    std::string field;
    ++at_;
    while (true) {
      if (at_end()) fail_data("{} line {}: a quote is opened and never closed", source_, first_line);
      const char c = text_[at_++];
      if (c != '"') {
        line_ += c == '\n' ? 1 : 0;
        field += c;
      } else if (!at_end() && text_[at_] == '"') {
        field += text_[at_++];
      } else {
        break;
      }
    }
    if (!at_end() && std::string_view(",\r\n").find(text_[at_]) == std::string_view::npos) {
      fail_data("{} line {}: '{}' follows a closing quote; a comma was expected", source_, line_, text_[at_]);
    }
    return field;
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

void check_header(const CsvTable& table, std::size_t line) {
  for (std::size_t i = 0; i < table.header.size(); ++i) {
    const auto rest = table.header.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(table.header.begin(), rest, table.header[i]) != rest) {
      fail_data("{} line {}: column '{}' occurs twice", table.source, line, table.header[i]);
    }
  }
}

}  // namespace

std::optional<std::size_t> CsvTable::column(std::string_view name) const {
  const auto found = std::ranges::find(header, name);
  if (found == header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.begin());
}

CsvTable parse_csv(std::string_view text, const std::string& source) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    fail_data("{} line {}: a NUL byte; text was expected", source, 1 + std::ranges::count(text.substr(0, nul), '\n'));
  }
  CsvTable table{source, {}, {}};
  Reader reader(text, source);
  while (!reader.at_end()) {
    const std::size_t line = reader.line();
    std::vector<std::string> fields = reader.record();
    if (fields.empty()) continue;
    if (table.header.empty()) {
      table.header = std::move(fields);
      check_header(table, line);
    } else if (fields.size() != table.header.size()) {
      fail_data("{} line {}: {} fields, the header has {}", source, line, fields.size(), table.header.size());
    } else {
      table.rows.push_back({line, std::move(fields)});
    }
  }
  if (table.header.empty()) fail_data("{}: empty; a header was expected", source);
  return table;
}

CsvTable read_csv(const std::string& path) { return parse_csv(read_text_file(path), path); }

std::string csv_field(std::string_view value) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(value);
  std::string field = "\"";
  for (const char c : value) field += c == '"' ? std::string("\"\"") : std::string(1, c);
  return field + "\"";
}

}  // namespace actio::data
