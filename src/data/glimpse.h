// data: a clip at a glance, without understanding it. In: three of its frames. Out: small grey pictures, a hash of each,
// what stays the same within the clip, and its black borders. 4 KB a clip.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace actio::data {

inline constexpr std::size_t kGlimpses = 3;
inline constexpr std::array<double, kGlimpses> kGlimpsePlaces = {1.0 / 6, 0.5, 5.0 / 6};  // of the clip's time
inline constexpr int kGlimpseWidth = 64, kGlimpseHeight = 36;                             // whatever the frame's shape
inline constexpr int kSmallWidth = 32, kSmallHeight = 18;
inline constexpr std::uint8_t kMoving = 255;  // in Glimpse::still: the pictures differ there

// Shape: [kGlimpseHeight, kGlimpseWidth], 0..255.
using GlimpsePicture = std::vector<float>;

struct Glimpse {
  std::array<std::uint64_t, kGlimpses> hashes{};              // of coarse shapes: the signs of low frequencies
  std::array<std::vector<std::uint8_t>, kGlimpses> pictures;  // [kSmallHeight, kSmallWidth] each
  std::vector<std::uint8_t> still;                            // [kGlimpseHeight, kGlimpseWidth]: grey, or kMoving
  std::array<double, 4> borders{};  // left, right, top, bottom: share of the width or height that is black in all pictures
  bool blank = false;               // one of the pictures shows next to nothing, so that it cannot be told from others
};

// Shape: grey u8 [H, W]. Antialiased.
GlimpsePicture shrink(const Tensor& grey);

// `distinct` is false where the pictures are one frame, of which nothing can be said to stay.
Glimpse glimpse_of(const std::array<GlimpsePicture, kGlimpses>& pictures, bool distinct);

}  // namespace actio::data
