// data: the inner loop of resampling, in the vectors of the processor. In: a row of samples and what each output takes of it. Out: a row of
// outputs, of the same bits on every instruction set.
#pragma once

#include <cstdint>

namespace actio::data {

// What the outputs of a row take of the samples of one channel.
struct ColumnTaps {
  const std::int32_t* first = nullptr;  // [size]: where each output's first sample lies in the row
  const float* weight = nullptr;        // [taps, size]
  std::int64_t size = 0, taps = 0;
  std::int64_t step = 1;  // from a sample to the next one of its channel
};

// out[x] = scale * (sum over t of weight[t, x] * row[first[x] + t * step]) + offset, the taps in order and nothing fused.
void weigh_columns(const float* row, const ColumnTaps& taps, float scale, float offset, float* out);

}  // namespace actio::data
