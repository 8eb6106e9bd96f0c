#include "motion/estimated_stream.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "motion/flow_image.h"
#include "motion/vector_field.h"

namespace actio::motion {
namespace {

constexpr int kSmallest = 16;  // pixels a side that a search needs

std::int16_t scaled(int value, float factor) { return static_cast<std::int16_t>(std::lround(static_cast<float>(value) * factor)); }

// From the picture that was searched to the frame.
void scale(std::vector<video::BlockVector>& vectors, float by_x, float by_y) {
  for (video::BlockVector& vector : vectors) {
    const std::int16_t left = scaled(vector.x, by_x), top = scaled(vector.y, by_y);
    vector.width = static_cast<std::int16_t>(scaled(vector.x + vector.width, by_x) - left);
    vector.height = static_cast<std::int16_t>(scaled(vector.y + vector.height, by_y) - top);
    vector.x = left;
    vector.y = top;
    vector.dx *= by_x;
    vector.dy *= by_y;
  }
}

GreyPicture picture(const Tensor& grey) { return {grey.data<std::uint8_t>(), static_cast<std::ptrdiff_t>(grey.dim(1))}; }

}  // namespace

Tensor EstimatedStream::picture_of(const video::Frame& frame) const {
  const Tensor grey = frame.grey();
  return std::min(frame.width, frame.height) > kSearchedWhole ? scaled_grey(grey, kSearchedSide) : grey;
}

void EstimatedStream::see(const video::Frame& frame) {
  last_ = picture_of(frame);
  if (search_) search_->forget();
}

Tensor EstimatedStream::field(const video::Frame& frame) {
  const Tensor before = std::exchange(last_, picture_of(frame));
  const auto height = static_cast<int>(last_.dim(0)), width = static_cast<int>(last_.dim(1));
  vectors_.clear();
  if (before.defined() && before.shape() == last_.shape() && std::min(width, height) >= kSmallest) {
    if (!search_ || search_->width() != width || search_->height() != height) search_.emplace(width, height);
    search_->run(picture(before), picture(last_), vectors_);
    scale(vectors_, static_cast<float>(frame.width) / static_cast<float>(width), static_cast<float>(frame.height) / static_cast<float>(height));
  }
  return rasterise(vectors_, frame.width, frame.height);
}

}  // namespace actio::motion
