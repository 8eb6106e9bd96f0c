#include "data/glimpse.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/axis_weights.h"

namespace actio::data {
namespace {

// Grey levels. What compression leaves of noise in the mean of a hundred pixels is a tenth of that.
constexpr float kStillRange = 12, kBlack = 24, kLeastContrast = 6;
constexpr int kFrequencies = 8;  // of each axis; 64 bits

std::uint8_t to_byte(float value, float most) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, most)));
}

float spread(const GlimpsePicture& picture) {
  double sum = 0, squares = 0;
  for (const float value : picture) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const auto count = static_cast<double>(picture.size());
  return static_cast<float>(std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count))));
}

// [kFrequencies, size]: cosines of an axis.
std::vector<float> cosines(int size) {
  std::vector<float> table;
  for (int k = 0; k < kFrequencies; ++k) {
    for (int i = 0; i < size; ++i) table.push_back(static_cast<float>(std::cos(std::numbers::pi * k * (i + 0.5) / size)));
  }
  return table;
}

// The discrete cosine transform's lowest frequencies, each compared with the median of all but the constant one.
std::uint64_t hash_of(const GlimpsePicture& picture) {
  static const std::vector<float> across = cosines(kGlimpseWidth), down = cosines(kGlimpseHeight);
  std::vector<float> rows(static_cast<std::size_t>(kGlimpseHeight) * kFrequencies);
  for (int y = 0; y < kGlimpseHeight; ++y) {
    for (int k = 0; k < kFrequencies; ++k) {
      float sum = 0;
      for (int x = 0; x < kGlimpseWidth; ++x)
        sum += picture[static_cast<std::size_t>(y * kGlimpseWidth + x)] *
               across[static_cast<std::size_t>(k * kGlimpseWidth + x)];
      rows[static_cast<std::size_t>(y * kFrequencies + k)] = sum;
    }
  }
  std::vector<float> values;
  for (int l = 0; l < kFrequencies; ++l) {
    for (int k = 0; k < kFrequencies; ++k) {
      float sum = 0;
      for (int y = 0; y < kGlimpseHeight; ++y)
        sum += rows[static_cast<std::size_t>(y * kFrequencies + k)] * down[static_cast<std::size_t>(l * kGlimpseHeight + y)];
      values.push_back(sum);
    }
  }
  std::vector<float> sorted(values.begin() + 1, values.end());
  std::ranges::nth_element(sorted, sorted.begin() + 31);
  std::uint64_t hash = 0;
  for (std::size_t i = 1; i < values.size(); ++i) hash |= static_cast<std::uint64_t>(values[i] > sorted[31]) << i;
  return hash;
}

std::vector<std::uint8_t> halved(const GlimpsePicture& picture) {
  std::vector<std::uint8_t> small;
  for (int y = 0; y < kSmallHeight; ++y) {
    for (int x = 0; x < kSmallWidth; ++x) {
      const float* at = &picture[static_cast<std::size_t>(2 * y * kGlimpseWidth + 2 * x)];
      small.push_back(to_byte((at[0] + at[1] + at[kGlimpseWidth] + at[kGlimpseWidth + 1]) / 4, 255));
    }
  }
  return small;
}

// The share of rows or columns, from one side on, that are black in all pictures; 0 where all of them are.
std::array<double, 4> borders_of(const GlimpsePicture& brightest) {
  const auto is_black = [&](int x0, int x1, int y0, int y1) {
    for (int y = y0; y < y1; ++y) {
      for (int x = x0; x < x1; ++x) {
        if (brightest[static_cast<std::size_t>(y * kGlimpseWidth + x)] > kBlack) return false;
      }
    }
    return true;
  };
  const auto column = [&](int x) { return is_black(x, x + 1, 0, kGlimpseHeight); };
  const auto row = [&](int y) { return is_black(0, kGlimpseWidth, y, y + 1); };
  if (is_black(0, kGlimpseWidth, 0, kGlimpseHeight)) return {};
  int left = 0, right = 0, top = 0, bottom = 0;
  while (column(left)) ++left;
  while (column(kGlimpseWidth - 1 - right)) ++right;
  while (row(top)) ++top;
  while (row(kGlimpseHeight - 1 - bottom)) ++bottom;
  return {static_cast<double>(left) / kGlimpseWidth, static_cast<double>(right) / kGlimpseWidth,
          static_cast<double>(top) / kGlimpseHeight, static_cast<double>(bottom) / kGlimpseHeight};
}

}  // namespace

GlimpsePicture shrink(const Tensor& grey) {
  const std::int64_t height = grey.dim(0), width = grey.dim(1);
  const AxisWeights across = axis_weights(width, 0, static_cast<double>(width), kGlimpseWidth, false);
  const AxisWeights down = axis_weights(height, 0, static_cast<double>(height), kGlimpseHeight, false);
  const auto* source = grey.data<std::uint8_t>();
  std::vector<float> rows(static_cast<std::size_t>(height * kGlimpseWidth));
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < kGlimpseWidth; ++x) {
      const std::uint8_t* from = source + y * width + across.first[static_cast<std::size_t>(x)];
      const float* weight = &across.weight[static_cast<std::size_t>(x * across.taps)];
      float sum = 0;
      for (std::int64_t t = 0; t < across.taps; ++t) sum += weight[t] * from[t];
      rows[static_cast<std::size_t>(y * kGlimpseWidth + x)] = sum;
    }
  }
  GlimpsePicture picture(static_cast<std::size_t>(kGlimpseWidth) * kGlimpseHeight, 0.0F);
  for (std::int64_t y = 0; y < kGlimpseHeight; ++y) {
    for (std::int64_t t = 0; t < down.taps; ++t) {
      const float weight = down.weight[static_cast<std::size_t>(y * down.taps + t)];
      const float* from = &rows[static_cast<std::size_t>((down.first[static_cast<std::size_t>(y)] + t) * kGlimpseWidth)];
      for (std::int64_t x = 0; x < kGlimpseWidth; ++x)
        picture[static_cast<std::size_t>(y * kGlimpseWidth + x)] += weight * from[x];
    }
  }
  return picture;
}

Glimpse glimpse_of(const std::array<GlimpsePicture, kGlimpses>& pictures, bool distinct) {
  Glimpse glimpse;
  GlimpsePicture brightest = pictures[0];
  for (std::size_t i = 0; i < kGlimpses; ++i) {
    glimpse.hashes[i] = hash_of(pictures[i]);
    glimpse.pictures[i] = halved(pictures[i]);
    glimpse.blank = glimpse.blank || spread(pictures[i]) < kLeastContrast;
    for (std::size_t at = 0; at < brightest.size(); ++at) brightest[at] = std::max(brightest[at], pictures[i][at]);
  }
  glimpse.borders = borders_of(brightest);
  for (std::size_t at = 0; at < brightest.size(); ++at) {
    const auto [low, high] = std::minmax({pictures[0][at], pictures[1][at], pictures[2][at]});
    const float mean = (pictures[0][at] + pictures[1][at] + pictures[2][at]) / 3;
    glimpse.still.push_back(distinct && high - low <= kStillRange ? to_byte(mean, kMoving - 1) : kMoving);
  }
  return glimpse;
}

}  // namespace actio::data
