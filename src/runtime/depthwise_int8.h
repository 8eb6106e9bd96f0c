// runtime: depthwise 3x3 convolutions of 8 bits, which oneDNN computes more slowly than those of f32 on AVX2. In: values that keep the channels of a pixel together.
// Out: factor * (sum + bias) in the same order; the sums are exact on every processor.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/fuse.h"

namespace actio::runtime {

// A kernel of 3x3, dense, whose channels do not mix. Values outside of the input are zero.
struct DepthwiseInt8 {
  enum class Out { kU8, kS8, kF32 };

  std::int64_t images = 1, channels = 1, height = 1, width = 1;  // of the input
  std::int64_t out_height = 1, out_width = 1;
  std::int64_t stride_y = 1, stride_x = 1, top = 0, left = 0;  // padding before the input; any number of rows and columns may follow it
  bool in_signed = false;
  Out out = Out::kU8;                         // 8 bits are rounded to the nearest even and end where the type does
  Activation activation = Activation::kNone;  // of an output in f32
};

struct DepthwiseBuffers {
  const std::uint8_t* in = nullptr;     // [images, height, width, channels]; the bits of s8 where in_signed
  const std::int8_t* weight = nullptr;  // [3, 3, channels]
  const float* bias = nullptr;          // [channels], in steps of the sums
  const float* factors = nullptr;       // [channels], from steps of the sums to those of the output
  void* out = nullptr;                  // [images, out_height, out_width, channels]
};

struct DepthwiseRange {
  std::int64_t image = 0, first = 0, last = 0;  // rows of the output
};

using DepthwiseRows = void (*)(const DepthwiseInt8& op, const DepthwiseBuffers& buffers, const DepthwiseRange& range);

// Plain loops, for any numbers.
void depthwise_rows_plainly(const DepthwiseInt8& op, const DepthwiseBuffers& buffers, const DepthwiseRange& range);

// Whether no result, before it is rounded, is too large for 32 bits, whatever the values and weights are.
bool depthwise_fits(std::span<const float> bias, std::span<const float> factors);

// For bias and factors that fit: the fastest that this processor has, in vectors of `width` bits at most; `dot8`: four products summed by one instruction
// (VNNI) may be used. Threads: safe.
DepthwiseRows depthwise_rows(int width, bool dot8);

// Whether it is one of those above, whatever its types are. in: [channels, height, width].
bool is_own_depthwise(const FusedOp& op, const Shape& in);

// Every row, on several threads. Allocates nothing on one.
void run_depthwise(DepthwiseRows rows, const DepthwiseInt8& op, const DepthwiseBuffers& buffers, int threads);

}  // namespace actio::runtime
