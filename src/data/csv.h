// data: comma-separated tables with a header. In: a file as RFC 4180 has it (quotes, CRLF), with or without a byte order
// mark. Out: named columns and rows that know their line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace actio::data {

struct CsvRow {
  std::size_t line = 0;             // of the file, from 1, where the row starts
  std::vector<std::string> fields;  // as many as the header has
};

struct CsvTable {
  std::string source;  // the file, for messages
  std::vector<std::string> header;
  std::vector<CsvRow> rows;

  std::optional<std::size_t> column(std::string_view name) const;
};

// Throws: Error(kBadData) naming file and line for a row of another width, an open quote, text after a closing quote, a NUL
// byte, a missing header or a column name that occurs twice.
CsvTable parse_csv(std::string_view text, const std::string& source);

// Throws: as parse_csv, and as read_text_file.
CsvTable read_csv(const std::string& path);

// A field as parse_csv reads it back: quoted where it has to be.
std::string csv_field(std::string_view value);

}  // namespace actio::data
