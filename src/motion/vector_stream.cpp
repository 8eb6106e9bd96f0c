#include "motion/vector_stream.h"

#include "motion/vector_field.h"

namespace actio::motion {

Tensor VectorStream::field(const video::Frame& frame) {
  Tensor field = rasterise(frame.vectors, frame.width, frame.height);
  // Blocks that are skipped carry zero vectors; a frame with none at all is coded without looking at another one, so that
  // its motion is not zero but unknown.
  const bool known = !frame.key && !frame.vectors.empty();
  if (!known && carry_ && last_.defined() && last_.shape() == field.shape()) return last_.clone();
  last_ = field.clone();
  return field;
}

}  // namespace actio::motion
