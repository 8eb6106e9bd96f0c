#include "cli/init_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace actio::cli {
namespace {

constexpr std::size_t kMostNames = 8;

// "rgb.layer1.0.conv1.weight" -> "rgb.layer1"
std::string part_of(const std::string& name) {
  const std::size_t first = name.find('.');
  return name.substr(0, first == std::string::npos ? first : name.find('.', first + 1));
}

// All names where they are few, else how many there are of each part.
std::string listed(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  if (names.size() <= kMostNames) return fmt::format(": {}", fmt::join(names, ", "));
  std::vector<std::pair<std::string, int>> parts;
  for (const std::string& name : names) {
    const std::string part = part_of(name);
    const auto found = std::ranges::find(parts, part, [](const auto& entry) { return entry.first; });
    if (found == parts.end()) parts.emplace_back(part, 1);
    else ++found->second;
  }
  std::vector<std::string> texts;
  for (const auto& [part, count] : parts) texts.push_back(fmt::format("{} ({})", part, count));
  return fmt::format(": {}", fmt::join(texts, ", "));
}

}  // namespace

std::string init_text(const net::InitReport& report, const std::string& source) {
  return fmt::format("first weights from {}\n  loaded {}{}\n  new {}{}\n  not used {}{}", source, report.loaded.size(),
                     listed(report.loaded), report.fresh.size(), listed(report.fresh), report.unused.size(), listed(report.unused));
}

}  // namespace actio::cli
