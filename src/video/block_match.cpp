#include "video/block_match.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "video/ffmpeg_handles.h"

namespace actio::video {
namespace {

constexpr float kGoodFit = 2.0F;        // mean absolute difference of luma, 0..255: no other candidate is looked at
constexpr float kClearlyBetter = 0.7F;  // another candidate's difference, as a share of the nearest one's

bool has_plain_luma(const AVFrame& picture) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  return format && (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL)) == 0 &&
         format->comp[0].plane == 0 && format->comp[0].step == 1 && format->comp[0].depth == 8;
}

// Luma rows of a picture; a row or column outside of it is the nearest one inside.
struct Plane {
  explicit Plane(const AVFrame& picture)
      : data(picture.data[0]), stride(picture.linesize[0]), width(picture.width), height(picture.height) {}
  const std::uint8_t* row(int y) const { return data + std::clamp(y, 0, height - 1) * stride; }
  int column(int x) const { return std::clamp(x, 0, width - 1); }

  const std::uint8_t* data;
  std::ptrdiff_t stride;
  int width, height;
};

// Weights in eighths: 64 in all, so that sixteen bits hold everything.
std::uint16_t blend(int upper0, int upper1, int lower0, int lower1, int fx, int fy) {
  const int above = upper0 * (8 - fx) + upper1 * fx, below = lower0 * (8 - fx) + lower1 * fx;
  return static_cast<std::uint16_t>((above * (8 - fy) + below * fy + 32) >> 6);
}

// The width is a constant so that the compiler makes vector code of it.
template <int kWidth>
int row_misfit(const std::uint8_t* here, const std::uint8_t* upper, const std::uint8_t* lower, int fx, int fy) {
  int sum = 0;
  for (int i = 0; i < kWidth; ++i) sum += std::abs(here[i] - blend(upper[i], upper[i + 1], lower[i], lower[i + 1], fx, fy));
  return sum;
}

// Mean absolute difference of luma between the block and the place in `reference` that its vector points to, every other
// row; bilinear between pixels, which is near enough to tell pictures apart.
float misfit(const AVFrame& picture, const AVFrame& reference, const Block& block) {
  const Plane here(picture), there(reference);
  const int left = std::max(block.x, 0), right = std::min(block.x + block.width, picture.width);
  const int top = std::max(block.y, 0), bottom = std::min(block.y + block.height, picture.height);
  const int move_x = static_cast<int>(std::floor(block.motion_x)), move_y = static_cast<int>(std::floor(block.motion_y));
  const int fx = static_cast<int>((block.motion_x - static_cast<float>(move_x)) * 8);
  const int fy = static_cast<int>((block.motion_y - static_cast<float>(move_y)) * 8);
  const bool inside = left + move_x >= 0 && right + move_x < there.width;
  const int width = right - left;
  int sum = 0, count = 0;
  for (int y = top; y < bottom && width > 0; y += 2, count += width) {
    const std::uint8_t* row = here.row(y) + left;
    const std::uint8_t *upper = there.row(y + move_y), *lower = there.row(y + move_y + 1);
    if (inside && width == 16) {
      sum += row_misfit<16>(row, upper + left + move_x, lower + left + move_x, fx, fy);
    } else if (inside && width == 8) {
      sum += row_misfit<8>(row, upper + left + move_x, lower + left + move_x, fx, fy);
    } else {
      for (int i = 0; i < width; ++i) {
        const int x0 = there.column(left + i + move_x), x1 = there.column(left + i + move_x + 1);
        sum += std::abs(row[i] - blend(upper[x0], upper[x1], lower[x0], lower[x1], fx, fy));
      }
    }
  }
  return count > 0 ? static_cast<float>(sum) / static_cast<float>(count) : 0.0F;
}

}  // namespace

const Reference& best_reference(const AVFrame& picture, const Block& block, std::span<const Reference> candidates) {
  const Reference* best = &candidates.front();
  if (candidates.size() == 1 || (block.motion_x == 0 && block.motion_y == 0) || !has_plain_luma(picture)) return *best;
  const auto comparable = [&](const Reference& other) {
    return other.picture->format == picture.format && other.picture->width == picture.width &&
           other.picture->height == picture.height;
  };
  if (!comparable(*best)) return *best;
  float least = misfit(picture, *best->picture, block);
  if (least <= kGoodFit) return *best;
  least *= kClearlyBetter;
  for (const Reference& candidate : candidates.subspan(1)) {
    if (!comparable(candidate)) continue;
    const float fit = misfit(picture, *candidate.picture, block);
    if (fit < least) {
      least = fit;
      best = &candidate;
    }
  }
  return *best;
}

}  // namespace actio::video
