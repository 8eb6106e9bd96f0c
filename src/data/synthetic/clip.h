// data/synthetic: one clip of one class. In: the scene's and the camera's random numbers. Out: its frames.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/tensor.h"
#include "data/synthetic/actions.h"
#include "data/synthetic/backdrop.h"

namespace actio::data::synthetic {

struct ClipSize {
  std::int64_t min_width = 160, max_width = 240;  // pixels
  std::int64_t min_height = 120, max_height = 180;
  std::int64_t min_frames = 32, max_frames = 64;
};

// Everything that a viewer of a single frame can see comes from `scene`, which both classes of a pair share; what a camera
// adds (shake, noise) comes from numbers of its own and does not know which way the action goes.
class Clip {
 public:
  Clip(std::size_t pair, bool backward, const ClipSize& size, Rng scene, Rng camera);

  int width() const { return width_; }
  int height() const { return height_; }
  std::int64_t frames() const { return static_cast<std::int64_t>(progress_.size()); }

  const View& view() const { return view_; }

  // How far the forward action has got in each frame, 0..1.
  const std::vector<double>& progress() const { return progress_; }

  // Calls `take` with each frame in turn.
  // Shape: u8 [height, width, 3]; the tensor is used again for the next frame.
  void render(const std::function<void(const Tensor&)>& take);

 private:
  struct Wave {
    double amplitude, frequency, phase;
    double at(double t) const;
  };
  static Wave random_wave(Rng& rng, double largest, double slowest, double fastest);
  void place_view(Rng& scene);
  void plan_progress(Rng& scene, const ClipSize& size, bool backward);

  int width_, height_;
  std::unique_ptr<Performance> performance_;
  std::unique_ptr<Backdrop> backdrop_;
  View view_;
  std::vector<double> progress_;
  Rng camera_;
  Wave sway_, shake_x_, shake_y_, drift_x_, drift_y_;
  double noise_;
};

}  // namespace actio::data::synthetic
