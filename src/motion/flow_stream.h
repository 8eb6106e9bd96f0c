// motion: the optical flow of each frame of a clip. In: frames in display order. Out: one motion image each.
#pragma once

#include "core/tensor.h"
#include "motion/flow_image.h"
#include "video/frame.h"

namespace actio::motion {

// Keeps the picture of the frame it saw last.
// Threads: one stream belongs to one thread at a time.
class FlowStream {
 public:
  explicit FlowStream(const FlowSettings& settings, int threads = 1)
      : short_side_(settings.short_side), computer_(settings, threads) {}

  // The motion from the frame that was seen last to `frame`; none where there was no such frame.
  // Shape: u8 [2, h, w] (motion/flow_image.h), h and w from the settings' short side.
  Tensor field(const video::Frame& frame);

  // Looks at a frame whose own field nobody needs, for that of the next one. Far cheaper than field().
  void see(const video::Frame& frame) { last_ = scaled_grey(frame.grey(), short_side_); }

 private:
  std::int64_t short_side_;
  FlowComputer computer_;
  Tensor last_;  // u8 [h, w]
};

}  // namespace actio::motion
