#include "video/orientation.h"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace actio::video {
namespace {

constexpr double kMostSkew = 0.5;  // degrees from a multiple of 90 that are not looked at

}  // namespace

double clockwise_degrees(const std::int32_t* matrix) {
  const double degrees = -av_display_rotation_get(matrix);
  return std::isfinite(degrees) ? degrees : 0;
}

std::optional<Orientation> orientation_of(const std::int32_t* matrix) {
  const double degrees = clockwise_degrees(matrix);
  const double nearest = 90 * std::round(degrees / 90);
  if (std::fabs(degrees - nearest) > kMostSkew) return std::nullopt;
  const std::int64_t quarter_turns = (std::llround(nearest / 90) + 4) % 4;
  // The turn says where the coded picture's rows go. Its columns go a quarter turn further, or else the other way: the
  // picture is then mirrored top to bottom, which is left to right and half a turn.
  const bool flipped = quarter_turns == 0   ? matrix[4] < 0
                       : quarter_turns == 1 ? matrix[3] > 0
                       : quarter_turns == 2 ? matrix[4] > 0
                                            : matrix[3] < 0;
  return Orientation{flipped, static_cast<int>((quarter_turns + (flipped ? 2 : 0)) % 4) * 90};
}

void set_display_matrix(std::int32_t* matrix, const Orientation& orientation, int width, int height) {
  constexpr std::int32_t kOne = 1 << 16;
  const int degrees = orientation.degrees;
  const std::int32_t cosine = degrees == 0 ? kOne : degrees == 180 ? -kOne : 0;
  const std::int32_t sine = degrees == 90 ? kOne : degrees == 270 ? -kOne : 0;
  const std::int32_t side = orientation.mirrored ? -1 : 1;
  const std::int32_t x[2] = {side * cosine, side * sine}, y[2] = {-sine, cosine};
  // What would lie left of or above the origin is moved back.
  const auto moved = [&](int axis) {
    const auto least =
        std::min<std::int64_t>(0, std::int64_t{x[axis]} * width) + std::min<std::int64_t>(0, std::int64_t{y[axis]} * height);
    return static_cast<std::int32_t>(-least);
  };
  const std::int32_t values[9] = {x[0], x[1], 0, y[0], y[1], 0, moved(0), moved(1), 1 << 30};
  std::ranges::copy(values, matrix);
}

BlockVector displayed(const BlockVector& block, int width, int height, const Orientation& orientation) {
  BlockVector from = block;
  if (orientation.mirrored) {
    from.x = static_cast<std::int16_t>(width - block.x - block.width);
    from.dx = 0.0F - block.dx;  // no negative zero
  }
  BlockVector to = from;
  if (orientation.swaps_sides()) std::swap(to.width, to.height);
  const auto right = static_cast<std::int16_t>(width - from.x - from.width);
  const auto below = static_cast<std::int16_t>(height - from.y - from.height);
  if (orientation.degrees == 90) {
    to.x = below, to.y = from.x;
    to.dx = 0.0F - from.dy, to.dy = from.dx;
  } else if (orientation.degrees == 180) {
    to.x = right, to.y = below;
    to.dx = 0.0F - from.dx, to.dy = 0.0F - from.dy;
  } else if (orientation.degrees == 270) {
    to.x = from.y, to.y = right;
    to.dx = from.dy, to.dy = 0.0F - from.dx;
  }
  return to;
}

std::string orientation_text(const Orientation& orientation) {
  std::string text = orientation.mirrored ? "mirrored left to right" : "";
  if (orientation.degrees == 0) return text;
  return text + fmt::format("{}turned by {} degrees", text.empty() ? "" : " and ", orientation.degrees);
}

}  // namespace actio::video
