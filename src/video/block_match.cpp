#include "video/block_match.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "video/ffmpeg_handles.h"

namespace actio::video {
namespace {

constexpr int kGoodFit = 3;             // mean absolute difference of luma, 0..255: no other candidate is looked at
constexpr float kClearlyBetter = 0.7F;  // another candidate's difference, as a share of the nearest one's
constexpr int kRows = 2;                // of a block that are compared
constexpr int kNeighbour = 64;          // pixels: blocks of the same vector that are not further apart share their reference
constexpr int kMostUses = 64;           // of a comparison

bool has_plain_luma(const AVFrame& picture) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  return format && (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL)) == 0 &&
         format->comp[0].plane == 0 && format->comp[0].step == 1 && format->comp[0].depth == 8;
}

// Weights in eighths: 64 in all, so that sixteen bits hold everything.
struct Weights {
  std::uint16_t upper0 = 0, upper1 = 0, lower0 = 0, lower1 = 0;
};

std::uint8_t blend(int upper0, int upper1, int lower0, int lower1, const Weights& w) {
  const int sum = upper0 * w.upper0 + upper1 * w.upper1 + lower0 * w.lower0 + lower1 * w.lower1 + 32;
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(sum) >> 6);
}

// Eight neighbouring pixels, as GCC and Clang compute with them on any processor.
using Pixels = std::uint8_t __attribute__((vector_size(8)));
using Lanes = std::uint16_t __attribute__((vector_size(16)));

Lanes load(const std::uint8_t* from) {
  Pixels pixels;
  std::memcpy(&pixels, from, sizeof pixels);
  return __builtin_convertvector(pixels, Lanes);
}

Lanes row_misfit(const std::uint8_t* here, const std::uint8_t* upper, const std::uint8_t* lower, const Weights& w) {
  const Lanes sum =
      load(upper) * w.upper0 + load(upper + 1) * w.upper1 + load(lower) * w.lower0 + load(lower + 1) * w.lower1;
  const Lanes there = (sum + 32) >> 6, own = load(here);
  return own > there ? own - there : there - own;
}

bool comparable(const AVFrame& picture, const AVFrame& other) {
  return other.format == picture.format && other.width == picture.width && other.height == picture.height;
}

}  // namespace

BlockMatcher::BlockMatcher(const AVFrame& picture, std::vector<Reference> candidates)
    : candidates_(std::move(candidates)),
      here_{picture.data[0], picture.linesize[0]},
      width_(picture.width),
      height_(picture.height) {
  if (candidates_.size() < 2) return;
  if (!has_plain_luma(picture) || !comparable(picture, *candidates_.front().picture)) {
    candidates_.resize(1);
    return;
  }
  std::erase_if(candidates_, [&](const Reference& other) { return !comparable(picture, *other.picture); });
  for (const Reference& other : candidates_) planes_.push_back({other.picture->data[0], other.picture->linesize[0]});
}

// Where a block lies and where its vector points to, the same for all candidates.
struct BlockMatcher::Probe {
  Probe(const Block& block, int picture_width, int picture_height)
      : left(std::max(block.x, 0)),
        top(std::max(block.y, 0)),
        bottom(std::min(block.y + block.height, picture_height)),
        width(std::min(block.x + block.width, picture_width) - left),
        step(std::max(1, block.height / kRows)) {
    // In eighths of a pixel, rounded down.
    const int x = static_cast<int>(std::floor(block.motion_x * 8)), y = static_cast<int>(std::floor(block.motion_y * 8));
    move_x = x >> 3;
    move_y = y >> 3;
    const auto weight = [](int a, int b) { return static_cast<std::uint16_t>(a * b); };
    const int fx = x & 7, fy = y & 7;
    weights = {weight(8 - fx, 8 - fy), weight(fx, 8 - fy), weight(8 - fx, fy), weight(fx, fy)};
    inside = left + move_x >= 0 && left + width + move_x < picture_width;
    if (width > 0 && bottom > top) pixels = width * ((bottom - top + step - 1) / step);
  }

  int left, top, bottom, width, step;
  int move_x = 0, move_y = 0;
  bool inside = false;
  int pixels = 0;  // that are compared
  Weights weights;
};

// Sum of absolute differences of luma between the block and the place in another picture that its vector points to; bilinear
// between pixels, which is near enough to tell pictures apart. A row or column outside of a picture is the nearest one
// inside. Of the rows that are compared, only the odd or the even ones.
int BlockMatcher::misfit(const Plane& there, const Probe& probe, bool odd) const {
  Lanes sums{};
  int sum = 0;
  const int from = probe.left + probe.move_x;
  for (int y = probe.top + (odd ? probe.step : 0); y < probe.bottom; y += 2 * probe.step) {
    const std::uint8_t* row = here_.data + y * here_.stride + probe.left;
    const std::uint8_t* upper = there.data + std::clamp(y + probe.move_y, 0, height_ - 1) * there.stride;
    const std::uint8_t* lower = there.data + std::clamp(y + probe.move_y + 1, 0, height_ - 1) * there.stride;
    if (probe.inside && probe.width % 8 == 0) {
      for (int x = 0; x < probe.width; x += 8)
        sums += row_misfit(row + x, upper + from + x, lower + from + x, probe.weights);
    } else {
      for (int i = 0; i < probe.width; ++i) {
        const int x0 = std::clamp(from + i, 0, width_ - 1), x1 = std::clamp(from + i + 1, 0, width_ - 1);
        sum += std::abs(row[i] - blend(upper[x0], upper[x1], lower[x0], lower[x1], probe.weights));
      }
    }
  }
  for (int i = 0; i < 8; ++i) sum += sums[i];
  return sum;
}

int BlockMatcher::best_distance(const Block& block) const {
  const Probe probe(block, width_, height_);
  int best = candidates_.front().distance;
  int least = misfit(planes_.front(), probe, false);
  if (2 * least <= kGoodFit * probe.pixels) return best;
  least += misfit(planes_.front(), probe, true);
  if (least <= kGoodFit * probe.pixels) return best;
  least = static_cast<int>(kClearlyBetter * static_cast<float>(least));
  for (std::size_t i = 1; i < candidates_.size(); ++i) {
    int fit = misfit(planes_[i], probe, false);
    if (fit < least) fit += misfit(planes_[i], probe, true);
    if (fit >= least) continue;
    least = fit;
    best = candidates_[i].distance;
  }
  return best;
}

int BlockMatcher::distance(const Block& block) {
  if (candidates_.size() == 1 || (block.motion_x == 0 && block.motion_y == 0)) return candidates_.front().distance;
  const auto x = static_cast<std::int32_t>(block.motion_x * 8), y = static_cast<std::int32_t>(block.motion_y * 8);
  Decision& known = known_[static_cast<std::size_t>(x * 5 + y) % known_.size()];
  const bool same = known.distance != 0 && known.motion_x == block.motion_x && known.motion_y == block.motion_y;
  const bool near = std::abs(block.x - known.x) <= kNeighbour && std::abs(block.y - known.y) <= kNeighbour;
  if (!same || !near || ++known.uses > kMostUses) known = {block.motion_x, block.motion_y, 0, 0, best_distance(block), 0};
  known.x = block.x;
  known.y = block.y;
  return known.distance;
}

}  // namespace actio::video
