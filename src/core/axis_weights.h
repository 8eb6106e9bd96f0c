// core: how samples of an axis blend into others; every picture and motion field is scaled by these weights. In: an interval of
// the source and a number of samples. Out: which source samples each one takes, and how much of each.
#pragma once

#include <cstdint>
#include <vector>

namespace actio {

// Where each output sample of one axis comes from: `taps` neighbouring source samples and their weights.
struct AxisWeights {
  std::int64_t size = 0, taps = 0;
  std::vector<std::int32_t> first;  // [size]: the first source sample
  std::vector<float> weight;        // [size, taps]; each row sums to 1
};

// `size` samples of the interval [begin, begin + length) of an axis with `source` samples: a triangle filter of one source
// sample, widened to one output sample where the interval is scaled down (antialias). Sample i of the source covers [i, i +
// 1); what the filter reaches outside of the source counts as the border sample. `flip` reverses the order, exactly.
AxisWeights axis_weights(std::int64_t source, double begin, double length, std::int64_t size, bool flip);

}  // namespace actio
