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

// Makes f32 of integers of a weight: its steps of these scales. Returns, for each channel, what that shifts its results by on inputs of these means, which is
// to be taken off its bias; nothing where no means are known.
// means: of each input channel, all groups. Source: Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, sec. 4.2.
std::vector<float> to_steps(Tensor& weight, const std::vector<float>& scales, const std::vector<float>& means);

}  // namespace actio::runtime
