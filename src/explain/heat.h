// explain: the colours of a map. In: how much of the largest value. Out: blue (nothing), cyan, green, yellow, red (all of it).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

namespace actio::explain {

// Levels of red, green and blue, 0 to 255.
inline std::array<float, 3> heat(float share) {
  const float x = 4 * std::clamp(share, 0.0F, 1.0F);
  const auto ramp = [&](float centre) { return std::clamp(1.5F - std::fabs(x - centre), 0.0F, 1.0F); };
  return {255 * ramp(3), 255 * ramp(2), 255 * ramp(1)};
}

}  // namespace actio::explain
