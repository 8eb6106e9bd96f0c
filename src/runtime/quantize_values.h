// runtime: numbers as 8 bits. In: ranges, weights. Out: types and scales; a real number is its scale times the integer.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "net/quantization.h"

namespace actio::runtime {

// Values that are never below zero take all 8 bits for what is above it.
struct IntType {
  bool is_signed = false;
  float scale = 1;
  bool operator==(const IntType&) const = default;
};

IntType int_type_of(const net::Range& range);

// Where products of 8 bits are summed: VNNI adds four in 32 bits; without it, two of neighbouring inputs are added in 16 bits, which 255 times what the two
// weights add up to has to fit in.
enum class Sums { k32Bits, k16BitPairs };

// Symmetric: of each output channel, the first dimension's, the smallest scale with which no element is above 127 and no sum overflows; 1 for zeros.
// Shape: [channels, inputs / groups, ...]; an input alone in its group has no neighbour.
std::vector<float> weight_scales(const Tensor& weight, Sums sums);

// f32 of integers: the weight in steps of its scales.
Tensor in_steps(Tensor weight, const std::vector<float>& scales);

// Adds to the bias what the rounded weight is off by on inputs of these means, whose number is that of the input's channels; it is a source's own error that
// is corrected, borders aside. Source: Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, sec. 4.2.
// bias: f32 [channels]; weight: f32 [channels, inputs / groups, ...]; steps: as in_steps() of it gives them.
void correct_bias(Tensor& bias, const Tensor& weight, const Tensor& steps, const std::vector<float>& scales, const std::vector<float>& means);

}  // namespace actio::runtime
