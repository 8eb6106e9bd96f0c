#include "motion/flow_image.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/axis_weights.h"
#include "core/error.h"

namespace actio::motion {
namespace {

constexpr std::int64_t kLeastSide = 16, kMostSide = 16384;  // pixels; what Tvl1 takes

struct Size {
  std::int64_t width, height;
};

Size scaled_size(std::int64_t width, std::int64_t height, std::int64_t short_side) {
  const std::int64_t shorter = std::min(width, height), longer = std::max(width, height);
  double scale = short_side == 0 ? 1.0 : static_cast<double>(short_side) / static_cast<double>(shorter);
  scale = std::min(scale, static_cast<double>(kMostSide) / static_cast<double>(longer));
  const auto scaled = [scale](std::int64_t side) {
    return std::clamp<std::int64_t>(std::llround(scale * static_cast<double>(side)), kLeastSide, kMostSide);
  };
  return {scaled(width), scaled(height)};
}

// Scales the rows, then the columns. The rows in between keep a fraction, so that rounding happens once.
Tensor resized(const Tensor& grey, const Size& size) {
  const std::int64_t height = grey.dim(0), width = grey.dim(1);
  const AxisWeights across = axis_weights(width, 0, static_cast<double>(width), size.width, false);
  const AxisWeights down = axis_weights(height, 0, static_cast<double>(height), size.height, false);
  Tensor out({size.height, size.width}, DType::kU8);
  std::vector<float> blended(static_cast<std::size_t>(width));
  for (std::int64_t y = 0; y < size.height; ++y) {
    std::ranges::fill(blended, 0.0F);
    for (std::int64_t t = 0; t < down.taps; ++t) {
      const float weight = down.weight[static_cast<std::size_t>(y * down.taps + t)];
      const std::uint8_t* row = grey.data<std::uint8_t>() + (down.first[static_cast<std::size_t>(y)] + t) * width;
      for (std::int64_t x = 0; x < width; ++x) blended[static_cast<std::size_t>(x)] += weight * static_cast<float>(row[x]);
    }
    std::uint8_t* target = out.data<std::uint8_t>() + y * size.width;
    for (std::int64_t x = 0; x < size.width; ++x) {
      const float* from = blended.data() + across.first[static_cast<std::size_t>(x)];
      const float* weight = across.weight.data() + x * across.taps;
      float sum = 0.5F;
      for (std::int64_t t = 0; t < across.taps; ++t) sum += weight[t] * from[t];
      target[x] = static_cast<std::uint8_t>(std::clamp(sum, 0.0F, 255.0F));
    }
  }
  return out;
}

FlowSettings settings_of(const std::string& quality, std::int64_t side, double bound) {
  if (side != 0 && (side < kLeastSide || side > kMostSide)) {
    fail_usage("flow_short_side must be 0 or {} to {} pixels, got {}", kLeastSide, kMostSide, side);
  }
  if (!(bound > 0)) fail_usage("motion_bound must be above 0, got {}", bound);
  return {quality, tvl1_options(quality), side, bound};
}

}  // namespace

FlowSettings flow_settings(const Preprocess& preprocess) {
  return settings_of(preprocess.flow_quality, preprocess.flow_short_side, preprocess.motion_bound);
}

FlowSettings flow_settings(const InputSpec& input) { return settings_of(input.flow_quality, input.flow_short_side, input.bound); }

Tensor scaled_grey(const Tensor& grey, std::int64_t short_side) {
  if (grey.shape().size() != 2 || grey.numel() == 0) {
    fail_usage("flow: expected a picture u8 [H, W], got {}", shape_text(grey.shape()));
  }
  const Size size = scaled_size(grey.dim(1), grey.dim(0), short_side);
  return size.width == grey.dim(1) && size.height == grey.dim(0) ? grey : resized(grey, size);
}

Tensor motion_image(const Tensor& flow, double bound) {
  if (flow.shape().size() != 3 || flow.dim(0) != 2 || flow.numel() == 0) {
    fail_usage("flow: expected a field f32 [2, h, w], got {}", shape_text(flow.shape()));
  }
  Tensor image(flow.shape(), DType::kU8);
  const double units = 256.0 / static_cast<double>(std::min(flow.dim(1), flow.dim(2)));
  const float levels = static_cast<float>(units * 127.0 / bound);
  std::ranges::transform(flow.values<float>(), image.data<std::uint8_t>(), [levels](float v) {
    // Rounds half up, as what is truncated is positive. In this order, what is not a number is clipped too.
    return static_cast<std::uint8_t>(std::min(std::max(-127.0F, v * levels), 127.0F) + 128.5F);
  });
  return image;
}

Tensor still_image(std::int64_t height, std::int64_t width) {
  Tensor image({2, height, width}, DType::kU8);
  std::memset(image.raw(), kNoMotion, image.bytes());
  return image;
}

Tensor FlowComputer::image(const Tensor& first, const Tensor& second) {
  const std::int64_t height = second.dim(0), width = second.dim(1);
  if (first.shape() != second.shape()) return still_image(height, width);
  if (!tvl1_ || tvl1_->width() != width || tvl1_->height() != height) {
    tvl1_.reset();  // its memory, before more is asked for
    tvl1_.emplace(static_cast<int>(width), static_cast<int>(height), settings_.tvl1, threads_);
    flow_ = Tensor({2, height, width});
  }
  tvl1_->run(first, second, flow_);
  return motion_image(flow_, settings_.bound);
}

}  // namespace actio::motion
