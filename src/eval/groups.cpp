#include "eval/groups.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "core/error.h"
#include "eval/metrics.h"

namespace actio::eval {
namespace {

// "g2" before "g10".
struct NaturalLess {
  static std::string padded(const std::string& text) {
    std::string result, digits;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      const char c = i < text.size() ? text[i] : '\0';
      if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
        digits += c;
        continue;
      }
      if (!digits.empty()) result += std::string(20 - std::min<std::size_t>(digits.size(), 20), '0') + digits;
      digits.clear();
      if (i < text.size()) result += c;
    }
    return result;
  }
  bool operator()(const std::string& a, const std::string& b) const {
    return std::pair(padded(a), a) < std::pair(padded(b), b);
  }
};

}  // namespace

GroupMetrics measure_groups(const Tensor& scores, std::span<const std::int64_t> labels,
                            std::span<const std::string> groups) {
  if (groups.size() != labels.size()) fail("{} clips, but {} groups of them", labels.size(), groups.size());
  const std::vector<bool> right = correct_clips(scores, labels);
  std::map<std::string, GroupRow, NaturalLess> rows;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    GroupRow& row = rows[groups[i]];
    row.group = groups[i];
    row.clips += 1;
    row.top1 += right[i] ? 1 : 0;
  }
  GroupMetrics metrics;
  if (rows.size() < 2 || rows.size() == groups.size()) return metrics;
  const auto count = static_cast<double>(rows.size());
  for (auto& [name, row] : rows) {
    row.top1 /= static_cast<double>(row.clips);
    metrics.mean += row.top1 / count;
    metrics.groups.push_back(row);
  }
  for (const GroupRow& row : metrics.groups) metrics.deviation += (row.top1 - metrics.mean) * (row.top1 - metrics.mean);
  metrics.deviation = std::sqrt(metrics.deviation / (count - 1));
  return metrics;
}

Json to_json(const GroupMetrics& metrics) {
  Json rows = Json::array();
  for (const GroupRow& row : metrics.groups)
    rows.push_back({{"group", row.group}, {"clips", row.clips}, {"top1", row.top1}});
  return {{"mean", metrics.mean}, {"deviation", metrics.deviation}, {"rows", rows}};
}

}  // namespace actio::eval
