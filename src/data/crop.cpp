#include "data/crop.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"

namespace actio::data {
namespace {

constexpr std::array<double, 4> kCropSizes = {256, 224, 192, 168};  // at an input size of 224

// As a multiple of a quarter of the room that the crop leaves, left and top. The first five are the corners and the middle.
constexpr std::array<std::array<int, 2>, 13> kPositions = {
    {{0, 0}, {4, 0}, {0, 4}, {4, 4}, {2, 2}, {0, 2}, {4, 2}, {2, 4}, {2, 0}, {1, 1}, {3, 1}, {1, 3}, {3, 3}}};

struct SizePair {
  double width, height;
};

// Every width with every height at most one step away.
constexpr auto kNearPairs = [] {
  std::array<SizePair, 10> pairs{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < kCropSizes.size(); ++i) {
    for (std::size_t j = i == 0 ? 0 : i - 1; j < std::min(i + 2, kCropSizes.size()); ++j) {
      pairs[count++] = {kCropSizes[i], kCropSizes[j]};
    }
  }
  return pairs;
}();

// One draw, whichever pairs are allowed.
SizePair random_size(Rng& rng, bool all_pairs) {
  if (!all_pairs) return kNearPairs[static_cast<std::size_t>(rng.below(kNearPairs.size()))];
  const auto pair = static_cast<std::size_t>(rng.below(kCropSizes.size() * kCropSizes.size()));
  return {kCropSizes[pair / kCropSizes.size()], kCropSizes[pair % kCropSizes.size()]};
}

bool whole_frame(int width, int height, const Framing& framing) {
  if (width < 1 || height < 1) fail_internal("crop: the frame must have pixels, got {}x{}", width, height);
  return framing.resize == Resize::kStretch;
}

// Source pixels per pixel of the frame scaled to the short side.
double source_pixels(int width, int height, const Framing& framing) {
  return std::min(width, height) / static_cast<double>(framing.short_side);
}

}  // namespace

CropBox centre_crop(int width, int height, const Framing& framing) {
  if (whole_frame(width, height, framing)) return {0, 0, static_cast<double>(width), static_cast<double>(height), false};
  const double size = static_cast<double>(std::min(framing.size, framing.short_side));
  const double side = size * source_pixels(width, height, framing);
  return {(width - side) / 2, (height - side) / 2, side, side, false};
}

CropBox random_crop(int width, int height, const Framing& framing, Rng& rng, const CropOptions& options) {
  const bool whole = whole_frame(width, height, framing);
  const SizePair size = random_size(rng, options.all_pairs);
  const auto position = kPositions[static_cast<std::size_t>(rng.below(options.more_positions ? kPositions.size() : 5))];
  const bool flip = rng.chance(0.5) && options.flip;
  if (whole) return {0, 0, static_cast<double>(width), static_cast<double>(height), flip};

  const double scale = static_cast<double>(framing.size) / 224.0 * source_pixels(width, height, framing);
  const double crop_width = std::min<double>(size.width * scale, width);
  const double crop_height = std::min<double>(size.height * scale, height);
  return {(width - crop_width) * position[0] / 4, (height - crop_height) * position[1] / 4, crop_width, crop_height, flip};
}

std::vector<CropBox> view_crops(ViewCrops crops, int width, int height, const Framing& framing) {
  const CropBox centre = centre_crop(width, height, framing);
  if (crops == ViewCrops::kCentre) return {centre};
  CropBox mirrored = centre;
  mirrored.flip = true;
  std::vector<CropBox> boxes;
  if (framing.resize == Resize::kStretch) {  // one look at a place
    if (crops == ViewCrops::kTen) return {centre, mirrored};
    return {centre};
  }
  if (crops == ViewCrops::kThree) {
    const double side = std::min(width, height);
    for (const double at : {0.0, 0.5, 1.0}) boxes.push_back({(width - side) * at, (height - side) * at, side, side, false});
    return boxes;
  }
  for (const bool flip : {false, true}) {
    for (std::size_t i = 0; i < 5; ++i) {
      const double left = (width - centre.width) * kPositions[i][0] / 4, top = (height - centre.height) * kPositions[i][1] / 4;
      boxes.push_back({left, top, centre.width, centre.height, flip});
    }
  }
  return boxes;
}

}  // namespace actio::data
