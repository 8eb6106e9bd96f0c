// What stands around a reproduced table.
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "training/reproduce/reproduction.h"

namespace actio::training {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return text;
}

// Of the whole dataset.
std::int64_t classes_of(data::Layout layout) {
  if (layout == data::Layout::kUcf101) return 101;
  return layout == data::Layout::kHmdb51 ? 51 : 0;
}

}  // namespace

eval::TableReport Reproduction::empty_report(const eval::PaperTable& table) const {
  eval::TableReport report;
  report.table = table;
  report.table.rows.clear();
  if (options_.protocol) report.table.protocol = *options_.protocol;
  std::string name = options_.data_name;
  if (name.empty()) {
    name = fs::path(options_.data).filename().empty() ? options_.data : fs::path(options_.data).filename().string();
    if (!options_.dataset.filter.empty()) name += fmt::format(" ({})", fmt::join(options_.dataset.filter, ", "));
  }
  const std::vector<std::string> names = folds_of(table);
  const std::size_t folds = names.size();
  report.data =
      fmt::format("{}, {} clips of {} classes, {} held out {}", name, dataset_.items.size(), dataset_.classes.size(),
                  official_ ? fmt::format("{} official {}", folds, folds == 1 ? "split" : "splits")
                            : fmt::format("{} {}", folds, folds == 1 ? "group" : "groups"),
                  folds == 1 ? "to test on" : "in turn");
  const bool whole = official_ && options_.dataset.filter.empty() && names == paper_folds(table) &&
                     static_cast<std::int64_t>(dataset_.classes.size()) == classes_of(dataset_.layout);
  for (std::size_t c = 0; whole && c < table.columns.size(); ++c) {
    if (lower_case(table.columns[c]) == name_of(dataset_.layout)) report.own_column = c;
  }
  for (const ConfigChange& change : options_.changes) {
    const bool kept = std::ranges::find(table.keep, change.table + "." + change.key) != table.keep.end();
    if (kept)
      report.notes.push_back(fmt::format("{}.{} stays as it is: the rows differ by it.", change.table, change.key));
    else
      report.changes.push_back(change_text(change));
  }
  if (options_.init.empty()) report.notes.push_back("The first stages start from random weights: --init names none.");
  return report;
}

}  // namespace actio::training
