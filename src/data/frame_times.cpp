#include "data/frame_times.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace actio::data {
namespace {

constexpr std::int64_t kLongestGap = 1'800'000'000;  // microseconds; a camera that sleeps, not a clock that was set
constexpr double kFurthest = 1e15;                   // microseconds, thirty years

double seconds(std::int64_t microseconds) { return static_cast<double>(microseconds) / 1e6; }

// What makes no sense between neighbours, if anything.
std::string order_fault(const std::vector<std::int64_t>& times) {
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times[i] == times[i - 1]) return fmt::format("repeat: frames {} and {} are both at {:.3f} s", i - 1, i, seconds(times[i]));
    if (times[i] < times[i - 1])
      return fmt::format("jump back from {:.3f} s to {:.3f} s at frame {}", seconds(times[i - 1]), seconds(times[i]), i);
  }
  return {};
}

std::string gap_fault(const std::vector<std::int64_t>& times) {
  for (std::size_t i = 1; i < times.size(); ++i) {
    const std::int64_t gap = times[i] - times[i - 1];
    if (gap >= kLongestGap) return fmt::format("leave a gap of {:.0f} s before frame {}", seconds(gap), i);
  }
  return {};
}

bool is_even(const std::vector<std::int64_t>& times) {
  const auto steps = static_cast<double>(times.size() - 1);
  const double step = static_cast<double>(times.back() - times.front()) / steps;
  double earliest = 0, latest = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double late = static_cast<double>(times[i] - times.front()) - static_cast<double>(i) * step;
    earliest = std::min(earliest, late);
    latest = std::max(latest, late);
  }
  return latest - earliest <= step;
}

}  // namespace

std::int64_t to_microseconds(double seconds) { return std::llround(std::clamp(seconds * 1e6, -kFurthest, kFurthest)); }

FrameTimes frame_times(std::vector<std::int64_t> microseconds) {
  if (microseconds.size() < 2) return {};
  if (std::string fault = order_fault(microseconds); !fault.empty()) return {{}, std::move(fault)};
  if (is_even(microseconds)) return {};
  if (std::string fault = gap_fault(microseconds); !fault.empty()) return {{}, std::move(fault)};
  return {std::move(microseconds), {}};
}

std::vector<std::int64_t> sample_by_time(const std::vector<std::int64_t>& microseconds, std::int64_t segments, Sampling sampling,
                                         Rng& rng, double place) {
  const std::size_t frames = microseconds.size();
  if (frames < 2) fail_internal("sampling by time needs two frames, got {}", frames);
  if (segments < 1) fail_usage("sampling needs segments, got {}", segments);
  if (!(place >= 0 && place <= 1)) fail_usage("sampling: place must be between 0 and 1, got {}", place);
  const double start = static_cast<double>(microseconds.front());
  const double end = static_cast<double>(2 * microseconds.back() - microseconds[frames - 2]);
  const auto time_of = [&](double parts) { return start + parts * (end - start) / static_cast<double>(segments); };
  const auto before = [&](auto next) { return std::max<std::int64_t>(0, next - microseconds.begin() - 1); };
  const auto seen_at = [&](double time) { return before(std::ranges::upper_bound(microseconds, time)); };
  std::vector<std::int64_t> sampled;
  for (std::int64_t k = 0; k < segments; ++k) {
    const auto part = static_cast<double>(k);
    const std::int64_t first = seen_at(time_of(part));
    const std::int64_t last = std::max(first, before(std::ranges::lower_bound(microseconds, time_of(part + 1))));
    const double inside = sampling == Sampling::kRandom ? rng.uniform() : place;
    sampled.push_back(std::clamp(seen_at(time_of(part + inside)), first, last));
  }
  return sampled;
}

std::vector<std::int64_t> sample(const FrameTimes& times, std::int64_t frames, std::int64_t segments, Sampling sampling, Rng& rng,
                                 double place) {
  if (times.microseconds.empty()) return sample_segments(frames, segments, sampling, rng, place);
  return sample_by_time(times.microseconds, segments, sampling, rng, place);
}

}  // namespace actio::data
