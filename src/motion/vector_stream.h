// motion: the motion field of each frame of a clip, key frames included. In: frames in display order. Out: one field each.
#pragma once

#include <string>

#include "core/tensor.h"
#include "video/frame.h"

namespace actio::motion {

// Keeps the last field so that key frames can carry it over (EMV-CNN's choice) or be zero. The same holds for any frame
// without a single vector: blocks that do not move carry zero vectors, so none at all means that the motion is unknown.
class VectorStream {
 public:
  explicit VectorStream(bool carry_over_key_frames) : carry_(carry_over_key_frames) {}

  // Shape: f32 [2, ceil(height / 4), ceil(width / 4)]. Units: pixels per frame, from the previous frame to `frame`.
  Tensor field(const video::Frame& frame);

 private:
  bool carry_;
  Tensor last_;
};

}  // namespace actio::motion
