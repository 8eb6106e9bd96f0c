#include "motion/flow_stream.h"

#include <utility>

namespace actio::motion {

Tensor FlowStream::field(const video::Frame& frame) {
  const Tensor before = std::exchange(last_, scaled_grey(frame.grey(), short_side_));
  if (!before.defined()) return still_image(last_.dim(0), last_.dim(1));
  return computer_.image(before, last_);
}

}  // namespace actio::motion
