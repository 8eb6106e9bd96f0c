// data/synthetic: a wall and a floor with random patterns. In: random numbers. Out: a picture to draw figures on.
#pragma once

#include <vector>

#include "core/rng.h"
#include "data/synthetic/canvas.h"

namespace actio::data::synthetic {

class Backdrop {
 public:
  // `horizon` is where the floor begins, pixels from the top.
  Backdrop(int width, int height, double horizon, Rng& rng);

  // Fills the canvas, moved by `shift` (up to kMargin pixels either way): a camera that is not quite still.
  void fill(Canvas& canvas, Point shift) const;

  static constexpr int kMargin = 6;

 private:
  int width_, height_;         // with the margin on all sides
  std::vector<float> pixels_;  // [height_, width_, 3]
};

}  // namespace actio::data::synthetic
