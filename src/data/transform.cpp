#include "data/transform.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "data/resample_ops.h"

namespace actio::data {
namespace {

// To the nearest whole number, halves to even, for magnitudes below 2^22; unlike std::nearbyint it becomes vector code.
inline float round_to_whole(float value) {
  constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23
  return (value + kMagic) - kMagic;
}

void check_out(std::span<float> out, std::int64_t channels, std::int64_t size) {
  if (static_cast<std::int64_t>(out.size()) != channels * size * size) {
    fail_internal("transform: the output must hold {} values, got {}", channels * size * size, out.size());
  }
}

// A weighted sum of `taps` rows of `count` values.
template <typename T>
void blend_rows(const T* source, std::int64_t stride, std::span<const float> weights, std::int64_t count, float* out) {
  std::fill(out, out + count, 0.0F);
  for (const float weight : weights) {
    for (std::int64_t i = 0; i < count; ++i) out[i] += weight * static_cast<float>(source[i]);
    source += stride;
  }
}

std::span<const float> row_weights(const AxisWeights& axis, std::int64_t i) {
  return {axis.weight.data() + i * axis.taps, static_cast<std::size_t>(axis.taps)};
}

}  // namespace

Resampler::Resampler(std::int64_t source_width, std::int64_t source_height, const CropBox& box, std::int64_t size)
    : source_width_(source_width), source_height_(source_height) {
  const bool inside = std::fabs(box.left) < 1e6 && std::fabs(box.top) < 1e6 && box.width < 1e6 && box.height < 1e6;
  if (source_width < 1 || source_height < 1 || size < 1 || !(box.width > 0) || !(box.height > 0) || !inside) {
    fail_internal("resampling needs a source and a box with an extent, got {}x{}, box {}x{} at {},{} to {}", source_width,
                  source_height, box.width, box.height, box.left, box.top, size);
  }
  vertical_ = axis_weights(source_height, box.top, box.height, size, false);
  const AxisWeights across = axis_weights(source_width, box.left, box.width, size, box.flip);
  size_ = size;
  taps_ = across.taps;
  const auto [low, high] = std::ranges::minmax(across.first);
  columns_.begin = low;
  columns_.count = high + across.taps - low;
  columns_.weight.resize(across.weight.size());
  for (std::int64_t x = 0; x < size; ++x) {
    columns_.first.push_back(across.first[static_cast<std::size_t>(x)] - low);
    for (std::int64_t t = 0; t < taps_; ++t) columns_.weight[static_cast<std::size_t>(t * size + x)] = across.weight[static_cast<std::size_t>(x * taps_ + t)];
  }
}

void Resampler::interleaved(const std::uint8_t* source, std::span<const float, 3> scale, std::span<const float, 3> offset,
                            float* out) const {
  const std::int64_t count = columns_.count * 3;
  std::vector<float> blended(static_cast<std::size_t>(count));
  std::vector<std::int32_t> first = columns_.first;
  for (std::int32_t& sample : first) sample *= 3;
  const ColumnTaps taps{first.data(), columns_.weight.data(), size_, taps_, 3};
  for (std::int64_t y = 0; y < size_; ++y) {
    const std::int64_t first_row = vertical_.first[static_cast<std::size_t>(y)];
    blend_rows(source + (first_row * source_width_ + columns_.begin) * 3, source_width_ * 3, row_weights(vertical_, y), count, blended.data());
    for (std::int64_t c = 0; c < 3; ++c) {
      const auto channel = static_cast<std::size_t>(c);
      weigh_columns(blended.data() + c, taps, scale[channel], offset[channel], out + (c * size_ + y) * size_);
    }
  }
}

void Resampler::plane(const float* source, float* out) const {
  std::vector<float> blended(static_cast<std::size_t>(columns_.count));
  const ColumnTaps taps{columns_.first.data(), columns_.weight.data(), size_, taps_, 1};
  for (std::int64_t y = 0; y < size_; ++y) {
    const std::int64_t first_row = vertical_.first[static_cast<std::size_t>(y)];
    blend_rows(source + first_row * source_width_ + columns_.begin, source_width_, row_weights(vertical_, y), columns_.count, blended.data());
    weigh_columns(blended.data(), taps, 1, 0, out + y * size_);
  }
}

void transform_rgb(const Tensor& rgb, const CropBox& box, const InputSpec& input, std::span<float> out) {
  if (rgb.shape().size() != 3 || rgb.dim(2) != 3) fail_internal("transform: expected u8 [H, W, 3], got {}", shape_text(rgb.shape()));
  if (input.mean.size() != 3 || input.std.size() != 3) {
    fail_usage("the input '{}' needs 3 means and deviations, got {} and {}", input.name, input.mean.size(), input.std.size());
  }
  check_out(out, 3, input.size);
  std::array<float, 3> scale{}, offset{};
  for (std::size_t c = 0; c < 3; ++c) {
    scale[c] = static_cast<float>(1.0 / input.std[c]);
    offset[c] = static_cast<float>(-input.mean[c] / input.std[c]);
  }
  const Resampler resampler(rgb.dim(1), rgb.dim(0), box, input.size);
  resampler.interleaved(rgb.data<std::uint8_t>(), scale, offset, out.data());
}

void transform_field(const Tensor& field, const FieldGeometry& geometry, const CropBox& box, const InputSpec& input,
                     std::span<float> out) {
  if (field.shape().size() != 3 || field.dim(0) != 2) {
    fail_internal("transform: expected a field f32 [2, h, w], got {}", shape_text(field.shape()));
  }
  if (geometry.width < 1 || geometry.height < 1 || geometry.cell_pixels < 1) {
    fail_internal("transform: the field's frame must have pixels, got {}x{} in cells of {}", geometry.width, geometry.height,
                  geometry.cell_pixels);
  }
  const std::int64_t size = input.size;
  check_out(out, 2, size);
  const double cell = geometry.cell_pixels;
  const CropBox cells{box.left / cell, box.top / cell, box.width / cell, box.height / cell, box.flip};
  const Resampler resampler(field.dim(2), field.dim(1), cells, size);

  const float bound = static_cast<float>(input.bound);
  const float mean = static_cast<float>(input.mean.at(0));
  const float inverse_std = static_cast<float>(1.0 / input.std.at(0));
  const std::int64_t cells_count = field.dim(1) * field.dim(2);
  std::vector<float> clipped(static_cast<std::size_t>(cells_count));
  for (std::int64_t axis = 0; axis < 2; ++axis) {
    const double sign = axis == 0 && box.flip ? -1.0 : 1.0;
    const float units = static_cast<float>(sign * 256.0 / std::min(geometry.width, geometry.height));
    const float* source = field.data<float>() + axis * cells_count;
    for (std::int64_t i = 0; i < cells_count; ++i) {
      clipped[static_cast<std::size_t>(i)] = std::min(std::max(source[i] * units, -bound), bound);
    }
    float* plane = out.data() + axis * size * size;
    resampler.plane(clipped.data(), plane);
    const float levels = 127.0F / bound;
    for (std::int64_t i = 0; i < size * size; ++i) {
      plane[i] = (128.0F + round_to_whole(plane[i] * levels) - mean) * inverse_std;
    }
  }
}

void transform_motion_image(const Tensor& image, int width, int height, const CropBox& box, const InputSpec& input,
                            std::span<float> out) {
  if (image.shape().size() != 3 || image.dim(0) != 2) {
    fail_internal("transform: expected a motion image u8 [2, h, w], got {}", shape_text(image.shape()));
  }
  if (width < 1 || height < 1) fail_internal("transform: the image's frame must have pixels, got {}x{}", width, height);
  const std::int64_t size = input.size, rows = image.dim(1), columns = image.dim(2);
  check_out(out, 2, size);
  const double cell_width = static_cast<double>(width) / static_cast<double>(columns);
  const double cell_height = static_cast<double>(height) / static_cast<double>(rows);
  const CropBox cells{box.left / cell_width, box.top / cell_height, box.width / cell_width, box.height / cell_height, box.flip};
  const Resampler resampler(columns, rows, cells, size);

  const float mean = static_cast<float>(input.mean.at(0));
  const float inverse_std = static_cast<float>(1.0 / input.std.at(0));
  std::vector<float> levels(static_cast<std::size_t>(rows * columns));
  for (std::int64_t axis = 0; axis < 2; ++axis) {
    const float sign = axis == 0 && box.flip ? -1.0F : 1.0F;
    const std::uint8_t* source = image.data<std::uint8_t>() + axis * rows * columns;
    for (std::size_t i = 0; i < levels.size(); ++i) levels[i] = sign * (static_cast<float>(source[i]) - 128.0F);
    float* plane = out.data() + axis * size * size;
    resampler.plane(levels.data(), plane);
    for (std::int64_t i = 0; i < size * size; ++i) plane[i] = (128.0F + round_to_whole(plane[i]) - mean) * inverse_std;
  }
}

}  // namespace actio::data
