#include "runtime/segments.h"

namespace actio::runtime {

void segment_diff(const float* earlier, const float* later, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = later[i] - earlier[i];
}

void segment_diff_of_clips(const float* values, const ClipRows& rows, float* out) {
  const std::int64_t pairs = (rows.count - 1) * rows.row;
  for (std::int64_t clip = 0; clip < rows.clips; ++clip) {
    const float* first = values + clip * rows.count * rows.row;
    segment_diff(first, first + rows.row, pairs, out + clip * pairs);
  }
}

void segment_mean(const float* values, const ClipRows& rows, float* out) {
  for (std::int64_t clip = 0; clip < rows.clips; ++clip) {
    const float* first = values + clip * rows.count * rows.row;
    for (std::int64_t i = 0; i < rows.row; ++i) {
      double sum = 0;
      for (std::int64_t k = 0; k < rows.count; ++k) sum += first[k * rows.row + i];
      out[clip * rows.row + i] = static_cast<float>(sum / static_cast<double>(rows.count));
    }
  }
}

void segment_stack(const float* values, const ClipRows& rows, float* out) {
  for (std::int64_t clip = 0; clip < rows.clips; ++clip) {
    const float* from = values + clip * rows.count * rows.row;
    float* to = out + clip * rows.count * rows.row;
    for (std::int64_t k = 0; k < rows.count; ++k) {
      for (std::int64_t d = 0; d < rows.row; ++d) to[d * rows.count + k] = from[k * rows.row + d];
    }
  }
}

}  // namespace actio::runtime
