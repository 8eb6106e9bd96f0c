// runtime: the ops that change the number of rows, as plain loops. In: the values of snippets or pairs in time order, the
// segment index fastest. Out: the values of pairs or clips.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace actio::runtime {

// later - earlier, row by row.  Shape: f32 [n, ...] twice -> f32 [n, ...]
Tensor segment_diff(const Tensor& earlier, const Tensor& later);

// The differences of neighbours within each clip.  Shape: f32 [N*K, ...] -> f32 [N*(K-1), ...]
Tensor segment_diff_of_clips(const Tensor& values, std::int64_t segments);

// The mean of each run of `count` rows.  Shape: f32 [N*count, ...] -> f32 [N, ...]
Tensor segment_mean(const Tensor& values, std::int64_t count);

// Each run of `count` rows as columns.  Shape: f32 [N*count, D] -> f32 [N, D, count]
Tensor segment_stack(const Tensor& values, std::int64_t count);

}  // namespace actio::runtime
