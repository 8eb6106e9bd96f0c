// motion: the motion field of each frame of a clip whose codec hands out no vectors. In: frames in display order. Out: one field each, as
// motion/vector_stream.h gives them.
#pragma once

#include <optional>
#include <vector>

#include "core/tensor.h"
#include "motion/block_search.h"
#include "video/frame.h"

namespace actio::motion {

// Pictures whose shorter side is above this are searched at 256 pixels of it: an action does not need finer vectors, and the time is that of small videos.
inline constexpr int kSearchedWhole = 384, kSearchedSide = 256;

// Keeps the picture of the frame it saw last.
// Threads: one stream belongs to one thread at a time.
class EstimatedStream {
 public:
  // The motion from the frame that was seen last to `frame`, of each cell; zero where there was no such frame, or one of another size.
  // Shape: f32 [2, ceil(height / 4), ceil(width / 4)]. Units: pixels per frame.
  Tensor field(const video::Frame& frame);

  // Looks at a frame whose own field nobody needs, for that of the next one.
  void see(const video::Frame& frame);

 private:
  Tensor picture_of(const video::Frame& frame) const;

  std::optional<BlockSearch> search_;
  std::vector<video::BlockVector> vectors_;
  Tensor last_;  // u8 [h, w], as it is searched
};

}  // namespace actio::motion
