#include "eval/weight_search.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "data/list_file.h"

namespace actio::eval {
namespace {

constexpr std::size_t kMostTables = 8;
constexpr std::int64_t kFinestGrid = 20, kMostTried = 2'000;
constexpr double kNarrowest = 1e-5;  // range of a weight that counts as one
constexpr std::int64_t kFewestSame = 3;  // equal rows that are no accident

struct Candidate {
  std::vector<double> weights;
  std::int64_t right = -1;
  double unevenness = 0;  // squared distance from equal weights

  // Sums leave noise of the order of 1e-16 in the distances.
  bool better_than(const Candidate& other) const {
    return right != other.right ? right > other.right : unevenness < other.unevenness - 1e-9;
  }
};

class Search {
 public:
  explicit Search(const std::vector<ScoreTable>& tables) : tables_(tables) {
    for (std::int64_t i = 0; i < tables[0].clips(); ++i) {
      if (tables[0].labels[static_cast<std::size_t>(i)] >= 0) clips_.push_back(i);
    }
    if (clips_.empty()) fail_data("{}: no label is known, so that no weights can be found", tables[0].source);
    fused_.resize(static_cast<std::size_t>(tables[0].class_count()));
  }

  FoundWeights run() {
    const std::vector<double> equal(tables_.size(), 1.0 / static_cast<double>(tables_.size()));
    best_ = measured(equal);
    const std::int64_t right_equal = best_.right;
    const std::int64_t parts = grid_parts();
    std::vector<double> weights(tables_.size());
    try_grid(weights, 0, parts, parts);
    while (improve_a_pair()) {
    }
    const auto n = static_cast<double>(clips_.size());
    return {best_.weights, static_cast<std::int64_t>(clips_.size()), static_cast<double>(best_.right) / n,
            static_cast<double>(right_equal) / n, tried_};
  }

 private:
  Candidate measured(const std::vector<double>& weights) {
    Candidate candidate{weights, 0, 0};
    const double equal = 1.0 / static_cast<double>(weights.size());
    for (const double weight : weights) candidate.unevenness += (weight - equal) * (weight - equal);
    const std::size_t width = fused_.size();
    for (const std::int64_t clip : clips_) {
      std::ranges::fill(fused_, 0.0);
      for (std::size_t t = 0; t < tables_.size(); ++t) {
        const float* row = tables_[t].scores.data<float>() + static_cast<std::size_t>(clip) * width;
        for (std::size_t c = 0; c < width; ++c) fused_[c] += weights[t] * row[c];
      }
      const auto predicted = std::ranges::max_element(fused_) - fused_.begin();
      candidate.right += predicted == tables_[0].labels[static_cast<std::size_t>(clip)] ? 1 : 0;
    }
    ++tried_;
    return candidate;
  }

  // The finest grid that does not have too many points.
  std::int64_t grid_parts() const {
    for (std::int64_t parts = kFinestGrid; parts > 2; --parts) {
      double points = 1;  // parts + n - 1 over n - 1
      for (std::size_t i = 1; i < tables_.size(); ++i) points *= static_cast<double>(parts) / static_cast<double>(i) + 1;
      if (points < kMostTried + 0.5) return parts;
    }
    return 2;
  }

  void try_grid(std::vector<double>& weights, std::size_t at, std::int64_t left, std::int64_t parts) {
    const auto share = [&](std::int64_t count) { return static_cast<double>(count) / static_cast<double>(parts); };
    if (at + 1 == weights.size()) {
      weights[at] = share(left);
      const Candidate candidate = measured(weights);
      if (candidate.better_than(best_)) best_ = candidate;
      return;
    }
    for (std::int64_t count = 0; count <= left; ++count) {
      weights[at] = share(count);
      try_grid(weights, at + 1, left - count, parts);
    }
  }

  // The moves t of weight from one table to another for which a clip is right: low < t < high.
  struct Range {
    double low = 0, high = 0;
  };

  Range range_of(std::int64_t clip, std::size_t from, std::size_t to) const {
    const std::size_t width = fused_.size(), row = static_cast<std::size_t>(clip) * width;
    const auto label = static_cast<std::size_t>(tables_[0].labels[static_cast<std::size_t>(clip)]);
    // The score of a class is base + t * slope.
    const auto base = [&](std::size_t c) {
      double sum = 0;
      for (std::size_t t = 0; t < tables_.size(); ++t) sum += best_.weights[t] * tables_[t].scores.data<float>()[row + c];
      return sum;
    };
    const auto slope = [&](std::size_t c) {
      return static_cast<double>(tables_[to].scores.data<float>()[row + c]) - tables_[from].scores.data<float>()[row + c];
    };
    const double base_of_label = base(label), slope_of_label = slope(label);
    Range range{-best_.weights[to], best_.weights[from]};
    for (std::size_t c = 0; c < width; ++c) {
      if (c == label) continue;
      const double lead = base_of_label - base(c), gain = slope_of_label - slope(c);
      if (gain > 0)
        range.low = std::max(range.low, -lead / gain);
      else if (gain < 0)
        range.high = std::min(range.high, -lead / gain);
      else if (lead <= 0)
        range.high = range.low;
    }
    return range;
  }

  // The middle of the range of moves with most clips right; of several the one nearest to no move.
  double best_move(std::size_t from, std::size_t to) const {
    std::vector<std::pair<double, int>> steps;  // where a clip becomes right, or wrong
    for (const std::int64_t clip : clips_) {
      const Range range = range_of(clip, from, to);
      if (range.high - range.low < kNarrowest) continue;
      steps.emplace_back(range.low, 1);
      steps.emplace_back(range.high, -1);
    }
    std::ranges::sort(steps);
    int right = 0, most = -1;
    double best = 0;
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
      right += steps[i].second;
      if (steps[i + 1].first - steps[i].first < kNarrowest) continue;
      const double middle = (steps[i].first + steps[i + 1].first) / 2;
      if (right < most || (right == most && std::abs(middle) >= std::abs(best))) continue;
      most = right;
      best = middle;
    }
    return best;
  }

  // Returns: whether moving weight between two tables made more clips right.
  bool improve_a_pair() {
    bool improved = false;
    for (std::size_t from = 0; from < tables_.size(); ++from) {
      for (std::size_t to = from + 1; to < tables_.size(); ++to) {
        const double move = best_move(from, to);
        std::vector<double> weights = best_.weights;
        weights[from] = std::max(0.0, weights[from] - move);
        weights[to] = std::max(0.0, weights[to] + move);
        const Candidate candidate = measured(weights);
        if (candidate.right <= best_.right) continue;
        best_ = candidate;
        improved = true;
      }
    }
    return improved;
  }

  const std::vector<ScoreTable>& tables_;
  std::vector<std::int64_t> clips_;
  std::vector<double> fused_;
  Candidate best_;
  std::int64_t tried_ = 0;
};

}  // namespace

FoundWeights search_weights(const std::vector<ScoreTable>& tables) {
  if (tables.size() < 2 || tables.size() > kMostTables) {
    fail_usage("weights can be searched for 2 to {} files, got {}", kMostTables, tables.size());
  }
  return Search(tables).run();
}

void check_disjoint(const ScoreTable& validation, const ScoreTable& test, ClipMatch match) {
  std::unordered_map<std::string, std::string> paths;
  for (const std::string& path : test.paths) paths.emplace(clip_key(path, match), path);
  for (const std::string& path : validation.paths) {
    if (!paths.contains(clip_key(path, match))) continue;
    fail_usage("{}: clip '{}' is in {}, too: weights must not be searched on test clips", validation.source,
               data::shown(path), test.source);
  }
  if (validation.class_count() != test.class_count()) return;
  // The same clips under other names.
  const auto width = static_cast<std::size_t>(test.class_count()) * sizeof(float);
  const auto row = [&](const ScoreTable& table, std::int64_t i) {
    return std::string_view(reinterpret_cast<const char*>(table.scores.raw()) + static_cast<std::size_t>(i) * width, width);
  };
  // Rows that occur once: votes and rounded scores repeat from clip to clip.
  const auto single_rows = [&](const ScoreTable& table) {
    std::unordered_map<std::string_view, int> count;
    for (std::int64_t i = 0; i < table.clips(); ++i) ++count[row(table, i)];
    std::erase_if(count, [](const auto& entry) { return entry.second > 1; });
    return count;
  };
  const auto in_test = single_rows(test), in_validation = single_rows(validation);
  const std::int64_t same = std::ranges::count_if(in_validation, [&](const auto& entry) { return in_test.contains(entry.first); });
  if (same < kFewestSame || 2 * same < validation.clips()) return;
  fail_usage("{}: {} of {} rows of scores are in {}, too: weights must not be searched on test clips", validation.source,
             same, validation.clips(), test.source);
}

}  // namespace actio::eval
