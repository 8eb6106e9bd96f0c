#include "data/synthetic/clip.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace actio::data::synthetic {
namespace {

std::int64_t whole_between(Rng& rng, std::int64_t low, std::int64_t high) { return low + rng.below(high - low + 1); }

int even_between(Rng& rng, std::int64_t low, std::int64_t high) {
  return static_cast<int>(2 * whole_between(rng, (low + 1) / 2, high / 2));
}

}  // namespace

double Clip::Wave::at(double t) const { return amplitude * std::sin(2 * std::numbers::pi * (frequency * t + phase)); }

Clip::Wave Clip::random_wave(Rng& rng, double largest, double slowest, double fastest) {
  const double amplitude = rng.uniform(0, largest);
  const double frequency = rng.uniform(slowest, fastest);
  return {amplitude, frequency, rng.uniform()};
}

Clip::Clip(std::size_t pair, bool backward, const ClipSize& size, Rng scene, Rng camera)
    : width_(even_between(scene, size.min_width, size.max_width)),
      height_(even_between(scene, size.min_height, size.max_height)),
      performance_(make_performance(pair, scene)),
      camera_(camera),
      sway_(random_wave(camera_, 0.012, 0.01, 0.04)),
      shake_x_(random_wave(camera_, 0.8, 0.05, 0.2)),
      shake_y_(random_wave(camera_, 0.8, 0.05, 0.2)),
      drift_x_(random_wave(camera_, 2.0, 0.005, 0.03)),
      drift_y_(random_wave(camera_, 1.5, 0.005, 0.03)),
      noise_(camera_.uniform(0.5, 3.5)) {
  place_view(scene);
  plan_progress(scene, size, backward);
}

// As large as the frame allows, or a little smaller; anywhere that shows all of the action; either way round.
void Clip::place_view(Rng& scene) {
  const Extent extent = performance_->extent();
  const double floor = scene.uniform(0.82, 0.94) * height_;
  const double room = std::min((floor - 3) / extent.top, (width_ - 8) / (extent.right - extent.left));
  view_.scale = room * scene.uniform(0.78, 1.0);
  view_.facing = scene.chance(0.5) ? -1 : 1;
  const double left = view_.facing > 0 ? -extent.left : extent.right;
  const double slack = width_ - 8 - view_.scale * (extent.right - extent.left);
  view_.origin = {4 + view_.scale * left + scene.uniform() * slack, floor};
  const double horizon = floor - scene.uniform(0.02, 0.25) * height_;
  backdrop_ = std::make_unique<Backdrop>(width_, height_, horizon, scene);
}

// Idle, action, idle. The action takes its own pace; played backwards it takes exactly the same one.
void Clip::plan_progress(Rng& scene, const ClipSize& size, bool backward) {
  const std::int64_t frames = whole_between(scene, size.min_frames, size.max_frames);
  const std::int64_t moving =
      std::max<std::int64_t>(2, static_cast<std::int64_t>(static_cast<double>(frames) * scene.uniform(0.5, 0.8)));
  const std::int64_t before = whole_between(scene, 0, frames - moving);
  const double skew = std::exp2(scene.uniform(-0.5, 0.5));
  for (std::int64_t i = 0; i < frames; ++i) {
    const double time = std::clamp(static_cast<double>(i - before) / static_cast<double>(moving - 1), 0.0, 1.0);
    progress_.push_back(std::pow(time, skew));
  }
  if (backward) std::ranges::reverse(progress_);
}

void Clip::render(const std::function<void(const Tensor&)>& take) {
  Canvas canvas(width_, height_);
  Tensor rgb({height_, width_, 3}, DType::kU8);
  for (std::size_t i = 0; i < progress_.size(); ++i) {
    const double t = static_cast<double>(i);
    const Point shift{shake_x_.at(t) + drift_x_.at(t), shake_y_.at(t) + drift_y_.at(t)};
    backdrop_->fill(canvas, shift);
    View view = view_;
    view.origin = view.origin + shift;
    performance_->paint(canvas, view, progress_[i], sway_.at(t));
    canvas.develop(noise_, camera_, rgb);
    take(rgb);
  }
}

}  // namespace actio::data::synthetic
