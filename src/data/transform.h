// data: pixels and motion fields as network input, the one preprocessing path of training and streams. In: a frame or a
// motion field and the crop box. Out: normalised planes of the network's input size.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/axis_weights.h"
#include "core/inputs.h"
#include "core/tensor.h"
#include "data/crop.h"

namespace actio::data {

// One crop of frames of one size, ready to be applied to many.
// Threads: const members may run at the same time.
class Resampler {
 public:
  // Units: `box` and the sizes in source samples.
  // Throws: Error(kInternal) for a source or box without an extent.
  Resampler(std::int64_t source_width, std::int64_t source_height, const CropBox& box, std::int64_t size);

  std::int64_t size() const { return size_; }

  // u8 [H, W, 3] -> f32 [3, S, S], each channel times `scale` plus `offset`.
  void interleaved(const std::uint8_t* source, std::span<const float, 3> scale, std::span<const float, 3> offset,
                   float* out) const;
  // f32 [H, W] -> f32 [S, S].
  void plane(const float* source, float* out) const;

 private:
  // The samples of a row that are read, `channels` for each.
  struct Columns {
    std::int64_t begin = 0, count = 0;
    std::vector<std::int32_t> first;  // [size]: from begin on
    std::vector<float> weight;        // [taps, size]
  };

  std::int64_t source_width_, source_height_;
  AxisWeights vertical_;
  std::int64_t size_ = 0, taps_ = 0;  // of columns
  Columns columns_;
};

// A frame as network input: resampled, then (x - mean) / std.
// Shape: rgb u8 [H, W, 3]; out f32 [3, S, S], S = input.size.
// Throws: Error(kInternal) for a tensor or span of another shape; Error(kUsage) for a mean or divisor that has not three values.
void transform_rgb(const Tensor& rgb, const CropBox& box, const InputSpec& input, std::span<float> out);

// The frame that a motion field belongs to.
struct FieldGeometry {
  int width = 0, height = 0;  // of the frame, pixels
  int cell_pixels = 1;        // pixels per side of one cell of the field
};

// A motion field as network input: displacements in the units of a short side of 256, clipped to its bound, resampled, as
// the 8-bit value round(128 + v * 127 / bound), then (x - mean) / std. A flipped box mirrors and
// negates x.
// Shape: field f32 [2, h, w]; out f32 [2, S, S].
// Units: pixels per frame, of the source.
void transform_field(const Tensor& field, const FieldGeometry& geometry, const CropBox& box, const InputSpec& input,
                     std::span<float> out);

// A motion image (motion/flow_image.h) as network input: resampled, rounded to 8 bit, then (x - mean) / std. A
// flipped box mirrors and negates x.
// Shape: image u8 [2, h, w], which covers the frame of width x height pixels that `box` counts; out f32 [2, S, S].
void transform_motion_image(const Tensor& image, int width, int height, const CropBox& box, const InputSpec& input,
                            std::span<float> out);

}  // namespace actio::data
