#include "data/sampling.h"

#include <algorithm>

#include "core/error.h"
#include "core/options.h"

namespace actio::data {

std::vector<std::int64_t> sample_segments(std::int64_t frames, std::int64_t segments, Sampling sampling, Rng& rng,
                                          double place) {
  if (frames < 1) fail_internal("sampling needs frames, got {}", frames);
  if (segments < 1) fail_usage("sampling needs segments, got {}", segments);
  if (frames > 1'000'000'000'000 || segments > 1'000'000) fail_usage("sampling: {} segments of {} frames", segments, frames);
  if (!(place >= 0 && place <= 1)) fail_usage("sampling: place must be between 0 and 1, got {}", place);
  std::vector<std::int64_t> sampled;
  for (std::int64_t k = 0; k < segments; ++k) {
    const std::int64_t begin = k * frames / segments;
    const std::int64_t end = (k + 1) * frames / segments;
    if (sampling == Sampling::kRandom && end > begin) {
      sampled.push_back(begin + rng.below(end - begin));
    } else {
      const double at = (static_cast<double>(k) + place) * static_cast<double>(frames) / static_cast<double>(segments);
      sampled.push_back(std::clamp(static_cast<std::int64_t>(at), begin, std::max(begin, end - 1)));
    }
  }
  return sampled;
}

std::vector<std::int64_t> motion_window(std::int64_t frame, std::int64_t frames, std::int64_t length,
                                        MotionWindow window) {
  const std::int64_t first = window == MotionWindow::kStarting ? frame + 1 : frame - (length - 1) / 2;
  std::vector<std::int64_t> fields;
  for (std::int64_t i = 0; i < length; ++i) {
    fields.push_back(frames < 2 ? 0 : std::clamp<std::int64_t>(first + i, 1, frames - 1));
  }
  return fields;
}

std::vector<std::int64_t> frame_window(std::int64_t frame, std::int64_t frames, std::int64_t length, MotionWindow window) {
  const std::int64_t first = window == MotionWindow::kStarting ? frame : frame - (length - 1) / 2;
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < length; ++i) indices.push_back(std::clamp<std::int64_t>(first + i, 0, std::max<std::int64_t>(frames, 1) - 1));
  return indices;
}

}  // namespace actio::data
