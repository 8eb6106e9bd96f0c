#include "video/luma_match.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "video/ffmpeg_handles.h"

namespace actio::video {
namespace {

// Eight neighbouring pixels, as GCC and Clang compute with them on any processor.
using Pixels = std::uint8_t __attribute__((vector_size(8)));
using Lanes = std::uint16_t __attribute__((vector_size(16)));

Lanes load(const std::uint8_t* from) {
  Pixels pixels;
  std::memcpy(&pixels, from, sizeof pixels);
  return __builtin_convertvector(pixels, Lanes);
}

template <typename Weights>
Lanes row_misfit(const std::uint8_t* here, const std::uint8_t* upper, const std::uint8_t* lower, const Weights& w) {
  const Lanes sum =
      load(upper) * w.upper0 + load(upper + 1) * w.upper1 + load(lower) * w.lower0 + load(lower + 1) * w.lower1;
  const Lanes there = (sum + 32) >> 6, own = load(here);
  return own > there ? own - there : there - own;
}

template <typename Weights>
std::uint8_t blend(int upper0, int upper1, int lower0, int lower1, const Weights& w) {
  const int sum = upper0 * w.upper0 + upper1 * w.upper1 + lower0 * w.lower0 + lower1 * w.lower1 + 32;
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(sum) >> 6);
}

}  // namespace

bool has_plain_luma(const AVFrame& picture) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  return format && (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL)) == 0 &&
         format->comp[0].plane == 0 && format->comp[0].step == 1 && format->comp[0].depth == 8;
}

bool same_layout(const AVFrame& picture, const AVFrame& other) {
  return other.format == picture.format && other.width == picture.width && other.height == picture.height;
}

LumaPlane luma_of(const AVFrame& picture) { return {picture.data[0], picture.linesize[0], picture.width, picture.height}; }

LumaPlane field_of(const AVFrame& picture, int parity) {
  const std::ptrdiff_t stride = picture.linesize[0];
  return {picture.data[0] + parity * stride, 2 * stride, picture.width, (picture.height + 1 - parity) / 2};
}

LumaProbe::LumaProbe(const Block& block, const LumaPlane& plane)
    : left_(std::max(block.x, 0)),
      top_(std::max(block.y, 0)),
      bottom_(std::max(top_, std::min(block.y + block.height, plane.height))),
      width_(std::max(0, std::min(block.x + block.width, plane.width) - left_)) {
  // In eighths of a pixel, rounded down.
  const int x = static_cast<int>(std::floor(block.motion_x * 8)), y = static_cast<int>(std::floor(block.motion_y * 8));
  move_x_ = x >> 3;
  move_y_ = y >> 3;
  const auto weight = [](int a, int b) { return static_cast<std::uint16_t>(a * b); };
  const int fx = x & 7, fy = y & 7;
  weights_ = {weight(8 - fx, 8 - fy), weight(fx, 8 - fy), weight(8 - fx, fy), weight(fx, fy)};
  inside_ = left_ + move_x_ >= 0 && left_ + width_ + move_x_ < plane.width;
}

int LumaProbe::misfit(const LumaPlane& here, const LumaPlane& there, int first, int step) const {
  Lanes sums{};
  int sum = 0;
  const int from = left_ + move_x_;
  for (int y = top_ + first; y < bottom_; y += step) {
    const std::uint8_t* row = here.data + y * here.stride + left_;
    const std::uint8_t* upper = there.data + std::clamp(y + move_y_, 0, there.height - 1) * there.stride;
    const std::uint8_t* lower = there.data + std::clamp(y + move_y_ + 1, 0, there.height - 1) * there.stride;
    if (inside_ && width_ % 8 == 0) {
      for (int x = 0; x < width_; x += 8) sums += row_misfit(row + x, upper + from + x, lower + from + x, weights_);
    } else {
      for (int i = 0; i < width_; ++i) {
        const int x0 = std::clamp(from + i, 0, there.width - 1), x1 = std::clamp(from + i + 1, 0, there.width - 1);
        sum += std::abs(row[i] - blend(upper[x0], upper[x1], lower[x0], lower[x1], weights_));
      }
    }
  }
  for (int i = 0; i < 8; ++i) sum += sums[i];
  return sum;
}

}  // namespace actio::video
