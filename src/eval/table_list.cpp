#include "eval/table_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace actio::eval {
namespace {

// How the row is run: its trainings with their weights, what is averaged where it is not probabilities, and its own
// protocol.
std::string parts_text(const PaperTable& table, const PaperRow& row) {
  if (row.parts.empty()) return "absent: " + row.absent;
  std::string text;
  for (const PaperPart& part : row.parts) {
    if (!text.empty()) text += " + ";
    if (part.weight != 1) text += fmt::format("{:g} x ", part.weight);
    text += "configs/" + part.config + (part.head.empty() ? "" : " head " + part.head);
  }
  if (row.average != Average::kProbabilities) text += fmt::format(", {}", name_of(row.average));
  if (row.protocol != table.protocol) text += fmt::format(", protocol {}", name_of(row.protocol));
  return text + (row.note.empty() ? "" : fmt::format(" ({})", row.note));
}

}  // namespace

std::string list_text(const std::vector<PaperTable>& tables) {
  std::string text;
  for (const PaperTable& table : tables) {
    text += fmt::format("{}{}   {}; {}, {}, protocol {}\n", text.empty() ? "" : "\n", table.name, table.caption,
                        fmt::join(table.columns, ", "), table.splits == "1" ? "split 1" : "three splits", name_of(table.protocol));
    for (const PaperRow& row : table.rows) {
      std::string figures;
      for (const auto& figure : row.paper) figures += figure ? fmt::format("{:>6.1f}", *figure) : fmt::format("{:>6}", "-");
      text += fmt::format("  {:<38}{}   {}\n", row.label, figures, parts_text(table, row));
    }
  }
  return text;
}

}  // namespace actio::eval
