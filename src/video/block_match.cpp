#include "video/block_match.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "video/ffmpeg_handles.h"

namespace actio::video {
namespace {

constexpr int kGoodFit = 3;             // mean absolute difference of luma, 0..255: no other candidate is looked at
constexpr float kClearlyBetter = 0.7F;  // another candidate's difference, as a share of the nearest one's
constexpr int kRows = 2;                // of a block that are compared
constexpr int kNeighbour = 64;          // pixels: blocks of the same vector that are not further apart share their reference
constexpr int kMostUses = 64;           // of a comparison

}  // namespace

BlockMatcher::BlockMatcher(const AVFrame& picture, std::vector<Reference> candidates)
    : candidates_(std::move(candidates)), here_(luma_of(picture)) {
  if (candidates_.size() < 2) return;
  if (!has_plain_luma(picture) || !same_layout(picture, *candidates_.front().picture)) {
    candidates_.resize(1);
    return;
  }
  std::erase_if(candidates_, [&](const Reference& other) { return !same_layout(picture, *other.picture); });
  for (const Reference& other : candidates_) planes_.push_back(luma_of(*other.picture));
}

int BlockMatcher::best_distance(const Block& block) const {
  const LumaProbe probe(block, here_);
  const int step = std::max(1, block.height / kRows);
  const int pixels = probe.width() * ((probe.rows() + step - 1) / step);
  const auto misfit = [&](std::size_t i, bool odd) { return probe.misfit(here_, planes_[i], odd ? step : 0, 2 * step); };
  int best = candidates_.front().distance;
  int least = misfit(0, false);
  if (2 * least <= kGoodFit * pixels) return best;
  least += misfit(0, true);
  if (least <= kGoodFit * pixels) return best;
  least = static_cast<int>(kClearlyBetter * static_cast<float>(least));
  for (std::size_t i = 1; i < candidates_.size(); ++i) {
    int fit = misfit(i, false);
    if (fit < least) fit += misfit(i, true);
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
