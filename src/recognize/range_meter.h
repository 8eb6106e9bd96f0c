// recognize: how far the values of a network reach. In: tensors. Out: the range whose steps of 8 bits lose least of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "net/quantization.h"

namespace actio::recognize {

// A histogram of sizes whose bins double in width when a larger value comes, so that one pass is enough and clips weigh equally.
class RangeMeter {
 public:
  RangeMeter();

  // Shape: f32 [rows, channels, ...].
  void add(const Tensor& value);

  // The reach at which the squares of what rounding and cutting off change add up to least: 255 steps up to it where no value was below zero, else
  // 127 to either side. Zero to zero where all values were zero.
  net::Range range() const;

 private:
  void widen(float size);
  void count(std::span<const float> values);
  float reach() const;

  std::vector<std::int64_t> bins_;
  float width_ = 0;  // of a bin; 0 until a value that is not zero comes
  float low_ = 0, high_ = 0;
  std::vector<double> sums_;      // of each channel
  std::int64_t of_channel_ = 0;   // elements in each sum
};

}  // namespace actio::recognize
