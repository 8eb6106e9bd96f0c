// runtime: the ops that change the number of rows, as plain loops. In: the values of snippets or pairs in time order, the
// segment index fastest. Out: the values of pairs or clips, into the caller's memory.
#pragma once

#include <cstdint>

namespace actio::runtime {

// Rows of `row` elements, `count` of each clip.
struct ClipRows {
  std::int64_t clips = 1, count = 1, row = 1;
};

// later - earlier.  Shape: f32 [n] twice -> f32 [n]. Threads: safe.
void segment_diff(const float* earlier, const float* later, std::int64_t n, float* out);

// The differences of neighbours within each clip.  Shape: f32 [clips*count, row] -> f32 [clips*(count-1), row]. Threads:
// safe.
void segment_diff_of_clips(const float* values, const ClipRows& rows, float* out);

// The mean of the rows of each clip.  Shape: f32 [clips*count, row] -> f32 [clips, row]. Threads: safe.
void segment_mean(const float* values, const ClipRows& rows, float* out);

// The rows of each clip as columns.  Shape: f32 [clips*count, row] -> f32 [clips, row, count]. Threads: safe.
void segment_stack(const float* values, const ClipRows& rows, float* out);

}  // namespace actio::runtime
