#include "motion/colour_wheel.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "motion/flow_image.h"

namespace actio::motion {

void wheel_colour(double x, double y, double full, std::uint8_t* rgb) {
  const double saturation = std::min(1.0, std::hypot(x, y) / full);
  const double turn = std::atan2(y, x) / (2 * std::numbers::pi);
  for (int channel = 0; channel < 3; ++channel) {
    // Each primary is full within a sixth of the circle around its own direction, and gone two sixths away from it.
    double away = std::fabs(turn - channel / 3.0);
    away = std::fabs(away - std::round(away));
    const double pure = std::clamp(2 - 6 * away, 0.0, 1.0);
    rgb[channel] = static_cast<std::uint8_t>(std::lround(255 * (1 - saturation * (1 - pure))));
  }
}

Tensor coloured(const Tensor& image, double full, std::int64_t height, std::int64_t width) {
  if (image.shape().size() != 3 || image.dim(0) != 2 || !(full > 0)) {
    fail_usage("colours: expected a motion image u8 [2, h, w], got {}", shape_text(image.shape()));
  }
  const std::int64_t rows = image.dim(1), columns = image.dim(2);
  const std::uint8_t* across = image.data<std::uint8_t>();
  const std::uint8_t* down = across + rows * columns;
  // There are few levels, so that every colour is made once.
  std::vector<std::uint8_t> colours(256 * 256 * 3);
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) {
      wheel_colour(x - int{kNoMotion}, y - int{kNoMotion}, full, colours.data() + 3 * (y * 256 + x));
    }
  }
  Tensor picture({height, width, 3}, DType::kU8);
  std::uint8_t* target = picture.data<std::uint8_t>();
  for (std::int64_t y = 0; y < height; ++y) {
    const std::int64_t row = y * rows / height * columns;
    for (std::int64_t x = 0; x < width; ++x, target += 3) {
      const std::int64_t from = row + x * columns / width;
      std::copy_n(colours.data() + 3 * (down[from] * 256 + across[from]), 3, target);
    }
  }
  return picture;
}

void draw_wheel(Tensor& picture) {
  const std::int64_t height = picture.dim(0), width = picture.dim(1), side = std::min(height, width) / 5;
  const double radius = static_cast<double>(side) / 2;
  for (std::int64_t y = 0; y < side; ++y) {
    for (std::int64_t x = 0; x < side; ++x) {
      const double dx = static_cast<double>(x) + 0.5 - radius, dy = static_cast<double>(y) + 0.5 - radius;
      const double away = std::hypot(dx, dy);
      if (away > radius) continue;
      std::uint8_t* pixel = picture.data<std::uint8_t>() + 3 * ((height - side + y) * width + width - side + x);
      wheel_colour(dx, dy, radius, pixel);
      if (away > radius - 1) std::fill_n(pixel, 3, std::uint8_t{64});
    }
  }
}

}  // namespace actio::motion
