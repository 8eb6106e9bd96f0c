// data: which part of a frame the network sees. In: the frame's size and its framing. Out: one box in source
// pixels, so that scaling and cropping are a single resampling.
#pragma once

#include <cstdint>
#include <vector>

#include "core/names.h"
#include "core/inputs.h"
#include "core/rng.h"

namespace actio {
namespace data {

// The boxes that a test protocol looks at. kCentre: centre_crop. kThree: squares as large as the short side, at both ends of the long
// side and in its middle (SlowFast). kTen: the four corners and the middle, each of framing.size, then the same five mirrored (TSN).
enum class ViewCrops { kCentre, kThree, kTen };

}  // namespace data

template <>
inline constexpr auto kNames<data::ViewCrops> = NameTable<data::ViewCrops, 3>{
    {{data::ViewCrops::kCentre, "centre"}, {data::ViewCrops::kThree, "three"}, {data::ViewCrops::kTen, "ten"}}};

}  // namespace actio

namespace actio::data {

struct CropBox {
  double left = 0, top = 0, width = 0, height = 0;  // pixels of the source
  bool flip = false;                                // mirrored left to right

  bool operator==(const CropBox&) const = default;
};

struct CropOptions {
  bool flip = true;             // mirror one clip in two; off where left and right are part of the action
  bool more_positions = false;  // 13 places instead of 5 ("more fix crop" of TSN)
  bool all_pairs = false;       // width and height drawn each alone, not at most one step apart
};

// The middle square of side framing.size of the frame scaled to short_side; the whole frame where resize is "stretch".
CropBox centre_crop(int width, int height, const Framing& framing);

// A corner or the middle of the scaled frame, its width and height among {256, 224, 192, 168} (scaled by framing.size / 224, and
// never larger than the frame); the whole frame where resize is "stretch". Mirrored with probability 0.5. The number of draws from
// `rng` does not depend on the frame.
// Source: Wang et al., Temporal Segment Networks, sec. 3.2; STFN sec. 4.2. Both draw width and height each from the four sizes; that
// they are at most one step apart is in TSN's code.
CropBox random_crop(int width, int height, const Framing& framing, Rng& rng, const CropOptions& options = {});

// Their number does not depend on the frame. Where resize is "stretch" every box is the whole frame.
std::vector<CropBox> view_crops(ViewCrops crops, int width, int height, const Framing& framing);

}  // namespace actio::data
