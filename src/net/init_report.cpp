#include "net/init_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <vector>

#include "net/file_bytes.h"

namespace actio::net {
namespace {

constexpr std::size_t kMostNames = 8;
constexpr std::size_t kMostParts = 40;

// "rgb.layer1.0.conv1.weight" -> "rgb.layer1"
std::string part_of(const std::string& name) {
  const std::size_t first = name.find('.');
  return name.substr(0, first == std::string::npos ? first : name.find('.', first + 1));
}

// All names where they are few, else how many there are of each part.
std::string listed(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::vector<std::string> texts;
  if (names.size() <= kMostNames) {
    for (const std::string& name : names) texts.push_back(net::shown_name(name));
    return fmt::format(": {}", fmt::join(texts, ", "));
  }
  std::map<std::string, std::size_t> counts;
  std::vector<std::string> parts;  // in the order of the names
  for (const std::string& name : names) {
    const std::string part = part_of(name);
    if (++counts[part] == 1) parts.push_back(part);
  }
  for (const std::string& part : parts) {
    if (texts.size() == kMostParts) {
      texts.push_back(fmt::format("and {} more parts", parts.size() - kMostParts));
      break;
    }
    texts.push_back(fmt::format("{} ({})", net::shown_name(part), counts[part]));
  }
  return fmt::format(": {}", fmt::join(texts, ", "));
}

}  // namespace

std::string init_text(const net::InitReport& report, const std::string& source, const std::vector<std::string>& notes) {
  std::string text = fmt::format("first weights from {}\n", source);
  for (const std::string& note : notes) text += fmt::format("  {}\n", note);
  return text + fmt::format("  loaded {}{}\n  new {}{}\n  not used {}{}", report.loaded.size(), listed(report.loaded),
                            report.fresh.size(), listed(report.fresh), report.unused.size(), listed(report.unused));
}

}  // namespace actio::net
