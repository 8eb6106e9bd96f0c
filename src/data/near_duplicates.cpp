#include "data/near_duplicates.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace actio::data {
namespace {

// Measured on rendered clips, in grey levels. Copies of low quality or in another size: differences up to 8; what changes in
// time correlates from 0.86 on, and what is left of it is 3 at most or a seventh. The same scene played backwards:
// differences from 4 where only an arm moves, with a correlation of 0.6 at most; up to 0.93 elsewhere, with differences from
// 12 and a third of the change left.
constexpr int kMostBits = 14;  // of 64 that differ in a picture; those of two scenes are 32 on average
constexpr double kMostDifference = 12;
constexpr double kLeastMotion = 2, kMostDifferenceOfStill = 3;
constexpr double kLeastCorrelation = 0.85, kMostLeft = 3, kMostLeftShare = 0.2;
constexpr int kBlockWidth = 4, kBlockHeight = 3;

bool hashes_agree(const Glimpse& a, const Glimpse& b) {
  for (std::size_t i = 0; i < kGlimpses; ++i) {
    if (std::popcount(a.hashes[i] ^ b.hashes[i]) > kMostBits) return false;
  }
  return true;
}

struct Level {
  double mean = 0, deviation = 0;
};

Level level_of(const std::vector<std::uint8_t>& picture) {
  double sum = 0, squares = 0;
  for (const std::uint8_t value : picture) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const auto count = static_cast<double>(picture.size());
  return {sum / count, std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count)))};
}

double difference_of(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  const Level one = level_of(a), other = level_of(b);
  const double gain = other.deviation > 0 ? one.deviation / other.deviation : 1;
  double largest = 0;
  for (int top = 0; top < kSmallHeight; top += kBlockHeight) {
    for (int left = 0; left < kSmallWidth; left += kBlockWidth) {
      double sum = 0;
      for (int y = top; y < top + kBlockHeight; ++y) {
        for (int x = left; x < left + kBlockWidth; ++x) {
          const auto at = static_cast<std::size_t>(y * kSmallWidth + x);
          sum += std::abs(a[at] - one.mean - gain * (b[at] - other.mean));
        }
      }
      largest = std::max(largest, sum / (kBlockWidth * kBlockHeight));
    }
  }
  return largest;
}

// What changes from one picture to the next.
struct Motion {
  double strength = 0;     // of the clip in which less moves, grey levels
  double correlation = 0;  // of the two clips' changes
};

Motion motion_of(const Glimpse& a, const Glimpse& b) {
  double both = 0, one = 0, other = 0, count = 0;
  for (std::size_t i = 1; i < kGlimpses; ++i) {
    for (std::size_t at = 0; at < a.pictures[i].size(); ++at) {
      const double x = a.pictures[i][at] - a.pictures[i - 1][at], y = b.pictures[i][at] - b.pictures[i - 1][at];
      both += x * y;
      one += x * x;
      other += y * y;
      ++count;
    }
  }
  return {std::sqrt(std::min(one, other) / count), one > 0 && other > 0 ? both / std::sqrt(one * other) : 0};
}

}  // namespace

double difference(const Glimpse& a, const Glimpse& b) {
  double largest = 0;
  for (std::size_t i = 0; i < kGlimpses; ++i) largest = std::max(largest, difference_of(a.pictures[i], b.pictures[i]));
  return largest;
}

bool are_alike(const Glimpse& a, const Glimpse& b) {
  if (a.blank || b.blank || !hashes_agree(a, b)) return false;
  const double apart = difference(a, b);
  if (apart > kMostDifference) return false;
  const Motion motion = motion_of(a, b);
  if (motion.strength < kLeastMotion) return apart <= kMostDifferenceOfStill;
  const double left = std::sqrt(std::max(0.0, 1 - motion.correlation * motion.correlation)) * motion.strength;
  return motion.correlation >= kLeastCorrelation && left <= std::max(kMostLeft, kMostLeftShare * motion.strength);
}

std::vector<GlimpsePair> near_duplicates(std::span<const Glimpse* const> glimpses, const std::stop_token& stop) {
  std::vector<GlimpsePair> pairs;
  for (std::size_t i = 0; i < glimpses.size() && !stop.stop_requested(); ++i) {
    for (std::size_t j = i + 1; j < glimpses.size(); ++j) {
      if (are_alike(*glimpses[i], *glimpses[j])) pairs.push_back({i, j, difference(*glimpses[i], *glimpses[j])});
    }
  }
  return pairs;
}

}  // namespace actio::data
