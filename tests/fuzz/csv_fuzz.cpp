// A CSV table: what is read can be written, and is then read as the same.
#include "data/csv.h"
#include "fuzz/support.h"

namespace {

std::string line_of(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    // An empty field alone on its line would be a blank line.
    line += (line.empty() ? "" : ",") + (field.empty() ? "\"\"" : actio::data::csv_field(field));
  }
  return line + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  actio::data::CsvTable table;
  if (!actio::fuzz::takes([&] { table = actio::data::parse_csv(actio::fuzz::text_of(data, size), "table.csv"); })) return 0;
  std::string text = "\xEF\xBB\xBF" + line_of(table.header);
  for (const auto& row : table.rows) {
    actio::fuzz::require(row.fields.size() == table.header.size(), "a row is as wide as the header");
    text += line_of(row.fields);
  }
  const actio::data::CsvTable again = actio::data::parse_csv(text, "again.csv");
  actio::fuzz::require(again.header == table.header && again.rows.size() == table.rows.size(), "the table is written whole");
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    actio::fuzz::require(again.rows[i].fields == table.rows[i].fields, "a row is read as it was written");
  }
  return 0;
}
