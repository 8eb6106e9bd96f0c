#include "eval/head_fusion.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <span>

#include "core/error.h"
#include "eval/calibration.h"
#include "eval/metrics.h"

namespace actio::eval {
namespace {

constexpr std::array<double, 7> kPulls = {0, 0.1, 0.3, 1, 3, 10, 100};
constexpr std::size_t kMostParts = 10;
constexpr int kMostSweeps = 200;
constexpr double kStandardErrors = 2;

using Rows = std::vector<std::size_t>;
using Factors = std::vector<double>;

struct Clips {
  std::vector<std::span<const float>> heads;  // [N * classes] each
  const std::vector<std::int64_t>& labels;
  std::size_t classes = 0;

  std::size_t count() const { return labels.size(); }
  const float* row(std::size_t head, std::size_t clip) const { return heads[head].data() + clip * classes; }
};

std::vector<double> probabilities_of(const Clips& clips, std::size_t clip, const Factors& factors) {
  std::vector<double> values(clips.classes, 0.0);
  for (std::size_t h = 0; h < factors.size(); ++h) {
    for (std::size_t c = 0; c < clips.classes; ++c) values[c] += factors[h] * clips.row(h, clip)[c];
  }
  const double most = std::ranges::max(values);
  double sum = 0;
  for (double& value : values) sum += value = std::exp(value - most);
  for (double& value : values) value /= sum;
  return values;
}

double loss_of(const Clips& clips, std::size_t clip, const Factors& factors) {
  return -std::log(std::max(1e-12, probabilities_of(clips, clip, factors)[static_cast<std::size_t>(clips.labels[clip])]));
}

// What is minimised over some clips: the mean loss with smoothed targets, and the pull of the heads in `free` towards each other.
class Objective {
 public:
  Objective(const Clips& clips, const Rows& rows, double pull, std::vector<bool> free)
      : clips_(clips), rows_(rows), pull_(pull / static_cast<double>(rows.size())), free_(std::move(free)) {
    const double others = 1.0 / static_cast<double>(rows.size() + 2);
    wrong_ = clips.classes > 1 ? others / static_cast<double>(clips.classes - 1) : 0;
    right_ = 1 - others;
  }

  double value(const Factors& factors) const {
    double sum = 0;
    for (const std::size_t clip : rows_) {
      const std::vector<double> p = probabilities_of(clips_, clip, factors);
      for (std::size_t c = 0; c < p.size(); ++c) sum -= target(clip, c) * std::log(std::max(1e-300, p[c]));
    }
    return sum / static_cast<double>(rows_.size()) + pull_ * unevenness(factors);
  }

  // First and second derivative by one factor.
  std::pair<double, double> slopes(const Factors& factors, std::size_t head) const {
    double first = 0, second = 0;
    for (const std::size_t clip : rows_) {
      const std::vector<double> p = probabilities_of(clips_, clip, factors);
      const float* z = clips_.row(head, clip);
      double mean = 0, square = 0, wanted = 0;
      for (std::size_t c = 0; c < p.size(); ++c) {
        mean += p[c] * z[c];
        square += p[c] * z[c] * z[c];
        wanted += target(clip, c) * z[c];
      }
      first += mean - wanted;
      second += square - mean * mean;
    }
    const double count = static_cast<double>(rows_.size());
    const auto [pull_first, pull_second] = pull_slopes(factors, head);
    return {first / count + pull_ * pull_first, second / count + pull_ * pull_second};
  }

  const std::vector<bool>& free() const { return free_; }

 private:
  double target(std::size_t clip, std::size_t c) const { return static_cast<std::size_t>(clips_.labels[clip]) == c ? right_ : wrong_; }

  double mean_of_free(const Factors& factors) const {
    double sum = 0, count = 0;
    for (std::size_t h = 0; h < factors.size(); ++h) {
      if (free_[h]) sum += factors[h], count += 1;
    }
    return sum / count;
  }

  // How far the factors are from their mean, relative to it.
  double unevenness(const Factors& factors) const {
    const double mean = std::max(1e-9, mean_of_free(factors));
    double sum = 0;
    for (std::size_t h = 0; h < factors.size(); ++h) {
      if (free_[h]) sum += (factors[h] / mean - 1) * (factors[h] / mean - 1);
    }
    return sum;
  }

  // By differences: cheap beside the clips.
  std::pair<double, double> pull_slopes(Factors factors, std::size_t head) const {
    if (pull_ == 0) return {0, 0};
    const double here = factors[head], step = 1e-4 * std::max(1.0, mean_of_free(factors));
    const double middle = unevenness(factors);
    factors[head] = here + step;
    const double above = unevenness(factors);
    factors[head] = here - step;
    const double below = unevenness(factors);
    return {(above - below) / (2 * step), std::max(0.0, (above - 2 * middle + below) / (step * step))};
  }

  const Clips& clips_;
  const Rows& rows_;
  double pull_, right_ = 1, wrong_ = 0;
  std::vector<bool> free_;
};

// One factor after the other to its best place, as long as that helps. What is not free stays 0.
Factors minimise(const Objective& objective) {
  Factors factors(objective.free().size(), 0.0);
  const auto free = static_cast<double>(std::ranges::count(objective.free(), true));
  for (std::size_t h = 0; h < factors.size(); ++h) factors[h] = objective.free()[h] ? 1 / free : 0;
  double value = objective.value(factors);
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    const double before = value;
    for (std::size_t h = 0; h < factors.size(); ++h) {
      if (!objective.free()[h]) continue;
      const auto [first, second] = objective.slopes(factors, h);
      double step = -first / std::max(second, 1e-6);
      for (int half = 0; half < 30; ++half, step /= 2) {
        Factors moved = factors;
        moved[h] = std::max(0.0, factors[h] + step);
        const double there = objective.value(moved);
        if (there >= value) continue;
        factors = std::move(moved);
        value = there;
        break;
      }
    }
    if (before - value < 1e-9) break;
  }
  return factors;
}

Factors fit(const Clips& clips, const Rows& rows, double pull, std::vector<bool> free) {
  return minimise(Objective(clips, rows, pull, std::move(free)));
}

std::vector<bool> all_heads(const Clips& clips) { return std::vector<bool>(clips.heads.size(), true); }

std::vector<bool> only_head(const Clips& clips, std::size_t head) {
  std::vector<bool> free(clips.heads.size(), false);
  free[head] = true;
  return free;
}

// Whole groups, the largest first, each to the part with the fewest clips.
std::vector<Rows> parts_of(const Clips& clips, const std::vector<std::string>& groups) {
  std::map<std::string, Rows> by_group;
  for (std::size_t i = 0; i < clips.count(); ++i) by_group[groups.empty() ? fmt::format("{:09}", i) : groups[i]].push_back(i);
  if (by_group.size() < 2) fail_data("the weights of heads need clips of two groups at least, got {}", by_group.size());
  std::vector<const Rows*> order;
  for (const auto& [name, rows] : by_group) order.push_back(&rows);
  std::ranges::stable_sort(order, std::greater<>(), &Rows::size);
  std::vector<Rows> parts(std::min(kMostParts, order.size()));
  for (const Rows* rows : order) {
    Rows& smallest = *std::ranges::min_element(parts, std::less<>(), &Rows::size);
    smallest.insert(smallest.end(), rows->begin(), rows->end());
  }
  return parts;
}

Rows all_but(const Rows& part, std::size_t count) {
  std::vector<bool> out(count, false);
  for (const std::size_t row : part) out[row] = true;
  Rows rest;
  for (std::size_t i = 0; i < count; ++i) {
    if (!out[i]) rest.push_back(i);
  }
  return rest;
}

struct HeldOut {
  std::vector<double> losses;  // of each clip
  Tensor probabilities;        // f32 [N, classes]
};

template <typename Choose>
HeldOut hold_out(const Clips& clips, const std::vector<Rows>& parts, Choose choose) {
  HeldOut held{std::vector<double>(clips.count()), Tensor({static_cast<std::int64_t>(clips.count()), static_cast<std::int64_t>(clips.classes)})};
  for (const Rows& part : parts) {
    const Factors factors = choose(all_but(part, clips.count()));
    for (const std::size_t clip : part) {
      held.losses[clip] = loss_of(clips, clip, factors);
      std::ranges::copy(probabilities_of(clips, clip, factors), held.probabilities.data<float>() + clip * clips.classes);
    }
  }
  return held;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

HeldOutFigures figures_of(const HeldOut& held, const Clips& clips) {
  return {compute_metrics(held.probabilities, clips.labels).top1, mean_of(held.losses),
          measure_calibration(held.probabilities, clips.labels).expected_error};
}

double reject_threshold(const HeldOut& held, const Clips& clips) {
  constexpr std::size_t kFewest = 20;
  constexpr double kLost = 0.05;
  std::vector<double> right;
  for (std::size_t i = 0; i < clips.count(); ++i) {
    const float* const row = held.probabilities.data<float>() + i * clips.classes;
    const float* const best = std::max_element(row, row + clips.classes);
    if (best - row == clips.labels[i]) right.push_back(*best);
  }
  if (right.size() < kFewest) return 0;
  std::ranges::sort(right);
  return right[static_cast<std::size_t>(kLost * static_cast<double>(right.size()))];
}

// Whether `a` loses more than `b` by more than chance explains.
bool is_worse(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> differences(a.size());
  std::ranges::transform(a, b, differences.begin(), std::minus<>());
  const double mean = mean_of(differences);
  double squares = 0;
  for (const double difference : differences) squares += (difference - mean) * (difference - mean);
  const double count = static_cast<double>(a.size());
  return mean > kStandardErrors * std::sqrt(squares / (count * std::max(1.0, count - 1)));
}

void check(const std::vector<Tensor>& logits, const std::vector<std::int64_t>& labels, const std::vector<std::string>& groups) {
  if (logits.empty()) fail_usage("the weights of heads need a head, got none");
  if (labels.size() < 2) fail_data("the weights of heads need two clips at least, got {}", labels.size());
  if (!groups.empty() && groups.size() != labels.size()) fail_usage("{} groups for {} clips", groups.size(), labels.size());
  for (const Tensor& head : logits) {
    const Shape& shape = head.shape();
    if (shape.size() != 2 || shape != logits[0].shape() || shape[0] != static_cast<std::int64_t>(labels.size())) {
      fail_usage("heads' logits of {} for {} clips, the first has {}", shape_text(shape), labels.size(), shape_text(logits[0].shape()));
    }
    if (!std::ranges::all_of(head.values<float>(), [](float value) { return std::isfinite(value); })) {
      fail_data("the weights of heads: a clip has logits that are not finite");
    }
  }
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= logits[0].dim(1)) fail_usage("label {} is none of {} classes", label, logits[0].dim(1));
  }
}

Clips clips_of(const std::vector<Tensor>& logits, const std::vector<std::int64_t>& labels) {
  Clips clips{{}, labels, static_cast<std::size_t>(logits[0].dim(1))};
  for (const Tensor& head : logits) clips.heads.push_back(head.values<float>());
  return clips;
}

}  // namespace

HeadFusion fit_heads(const std::vector<Tensor>& logits, const std::vector<std::int64_t>& labels, const std::vector<std::string>& groups) {
  check(logits, labels, groups);
  const Clips clips = clips_of(logits, labels);
  const std::vector<Rows> parts = parts_of(clips, groups);
  const std::size_t heads = logits.size();
  HeadFusion fusion;
  fusion.clips = static_cast<std::int64_t>(labels.size());

  HeldOut best;
  for (const double pull : kPulls) {
    HeldOut held = hold_out(clips, parts, [&](const Rows& rows) { return fit(clips, rows, pull, all_heads(clips)); });
    if (!best.losses.empty() && mean_of(held.losses) >= mean_of(best.losses)) continue;
    best = std::move(held);
    fusion.pull = pull;
  }
  const HeldOut equal = hold_out(clips, parts, [&](const Rows&) { return Factors(heads, 1.0 / static_cast<double>(heads)); });
  fusion.equal = figures_of(equal, clips);

  double least = 0;
  std::vector<HeldOut> alone;
  for (std::size_t h = 0; h < heads; ++h) {
    alone.push_back(hold_out(clips, parts, [&](const Rows& rows) { return fit(clips, rows, 0, only_head(clips, h)); }));
    fusion.alone.push_back(figures_of(alone.back(), clips));
    if (heads == 1 || !is_worse(best.losses, alone.back().losses)) continue;
    if (fusion.single >= 0 && mean_of(alone.back().losses) >= least) continue;
    fusion.single = static_cast<std::int64_t>(h);
    least = mean_of(alone.back().losses);
  }
  Rows every(clips.count());
  std::iota(every.begin(), every.end(), std::size_t{0});
  const bool is_single = fusion.single >= 0;
  const auto single = static_cast<std::size_t>(std::max<std::int64_t>(0, fusion.single));
  fusion.factors = is_single ? fit(clips, every, 0, only_head(clips, single)) : fit(clips, every, fusion.pull, all_heads(clips));
  const HeldOut& chosen = is_single ? alone[single] : best;
  fusion.fused = figures_of(chosen, clips);
  fusion.reject_below = reject_threshold(chosen, clips);
  return fusion;
}

Tensor fused_probabilities(const std::vector<Tensor>& logits, const std::vector<double>& factors) {
  if (logits.empty() || factors.size() != logits.size()) fail_usage("{} factors for {} heads", factors.size(), logits.size());
  const std::vector<std::int64_t> labels(static_cast<std::size_t>(logits[0].dim(0)), 0);
  const Clips clips = clips_of(logits, labels);
  Tensor result(logits[0].shape());
  for (std::size_t i = 0; i < clips.count(); ++i) std::ranges::copy(probabilities_of(clips, i, factors), result.data<float>() + i * clips.classes);
  return result;
}

Json to_json(const HeadFusion& fusion, const std::vector<std::string>& heads) {
  const auto figures = [](const HeldOutFigures& held) {
    return Json{{"top1", held.top1}, {"nll", held.negative_log_likelihood}, {"calibration_error", held.calibration_error}};
  };
  Json json = {{"clips", fusion.clips}, {"pull", fusion.pull}, {"alone", nullptr}, {"factors", Json::object()}, {"fused", figures(fusion.fused)},
               {"equal", figures(fusion.equal)}, {"heads", Json::object()}, {"reject_below", fusion.reject_below}};
  if (fusion.single >= 0) json["alone"] = heads.at(static_cast<std::size_t>(fusion.single));
  for (std::size_t h = 0; h < heads.size(); ++h) {
    json["factors"][heads[h]] = fusion.factors.at(h);
    json["heads"][heads[h]] = figures(fusion.alone.at(h));
  }
  return json;
}

}  // namespace actio::eval
