#include "training/recipe/motion_bound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "data/clip_reader.h"

namespace actio::training {
namespace {

constexpr std::size_t kClips = 48;
constexpr double kWidest = 20;  // pixels; the papers' bound
constexpr double kLeast = 2;
constexpr double kShare = 0.99;
constexpr int kLevels = 128;  // of either sign, up to the bound

// How often each size of displacement occurs.
using Histogram = std::array<std::int64_t, kLevels + 1>;

data::ClipRequest vectors_of(const std::string& path, const data::ReadLimits& limits) {
  InputSpec input = InputSpec::of("motion", InputKind::kVectors, 64, 3);
  input.bound = kWidest;
  input.mean = {128};
  input.std = {1};
  Inputs inputs;
  inputs.framing = {.size = 64, .short_side = 64, .resize = Resize::kStretch};
  inputs.list = {input};
  data::ClipRequest request = data::request_for(inputs, 5);
  request.path = path;
  request.limits = limits;
  return request;
}

void count(const Tensor& levels, Histogram& histogram) {
  for (const float level : levels.values<float>()) {
    const auto size = static_cast<std::size_t>(std::lround(std::fabs(level)));
    ++histogram[std::min(size, histogram.size() - 1)];
  }
}

double bound_of(const Histogram& histogram) {
  std::int64_t moving = 0;
  for (std::size_t level = 1; level < histogram.size(); ++level) moving += histogram[level];
  if (moving == 0) return 0;
  std::int64_t below = 0;
  std::size_t level = 1;
  for (; level + 1 < histogram.size(); ++level) {
    below += histogram[level];
    if (static_cast<double>(below) >= kShare * static_cast<double>(moving)) break;
  }
  return std::clamp(std::ceil(static_cast<double>(level) * kWidest / kLevels), kLeast, kWidest);
}

}  // namespace

double motion_bound_of(const std::vector<std::string>& clips, const data::ReadLimits& limits, const Hooks& hooks) {
  Histogram histogram{};
  const std::size_t wanted = std::min(kClips, clips.size());
  for (std::size_t i = 0; i < wanted; ++i) {
    throw_if_stopped(hooks.stop);
    try {
      const data::ClipInput clip = data::read_clip(vectors_of(clips[i * clips.size() / wanted], limits), hooks.stop);
      count(clip.inputs.at("motion"), histogram);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted) throw;  // what cannot be read is told of elsewhere
    }
    if (hooks.progress) hooks.progress({"looking at motion", static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(wanted), ""});
  }
  return bound_of(histogram);
}

}  // namespace actio::training
