#include "runtime/segments.h"

#include "core/error.h"

namespace actio::runtime {
namespace {

std::int64_t groups_of(const Tensor& values, std::int64_t count) {
  if (count < 1 || values.dim(0) % count != 0) {
    fail("rows of shape {} do not divide into groups of {}", shape_text(values.shape()), count);
  }
  return values.dim(0) / count;
}

void subtract(const float* later, const float* earlier, float* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = later[i] - earlier[i];
}

}  // namespace

Tensor segment_diff(const Tensor& earlier, const Tensor& later) {
  if (earlier.shape() != later.shape()) {
    fail("pairs of different shapes: {} and {}", shape_text(earlier.shape()), shape_text(later.shape()));
  }
  Tensor out(later.shape());
  subtract(later.data<float>(), earlier.data<float>(), out.data<float>(), out.numel());
  return out;
}

Tensor segment_diff_of_clips(const Tensor& values, std::int64_t segments) {
  const std::int64_t clips = groups_of(values, segments);
  Shape shape = values.shape();
  shape[0] = clips * (segments - 1);
  Tensor out(shape);
  const std::int64_t row = values.numel() / values.dim(0);
  for (std::int64_t clip = 0; clip < clips; ++clip) {
    const float* first = values.data<float>() + clip * segments * row;
    subtract(first + row, first, out.data<float>() + clip * (segments - 1) * row, (segments - 1) * row);
  }
  return out;
}

Tensor segment_mean(const Tensor& values, std::int64_t count) {
  Shape shape = values.shape();
  shape[0] = groups_of(values, count);
  Tensor out(shape);
  const std::int64_t row = values.numel() / values.dim(0);
  for (std::int64_t clip = 0; clip < shape[0]; ++clip) {
    const float* first = values.data<float>() + clip * count * row;
    float* to = out.data<float>() + clip * row;
    for (std::int64_t i = 0; i < row; ++i) {
      double sum = 0;
      for (std::int64_t k = 0; k < count; ++k) sum += first[k * row + i];
      to[i] = static_cast<float>(sum / static_cast<double>(count));
    }
  }
  return out;
}

Tensor segment_stack(const Tensor& values, std::int64_t count) {
  const std::int64_t clips = groups_of(values, count);
  const std::int64_t depth = values.numel() / values.dim(0);
  Tensor out({clips, depth, count});
  for (std::int64_t clip = 0; clip < clips; ++clip) {
    const float* from = values.data<float>() + clip * count * depth;
    float* to = out.data<float>() + clip * count * depth;
    for (std::int64_t k = 0; k < count; ++k) {
      for (std::int64_t d = 0; d < depth; ++d) to[d * count + k] = from[k * depth + d];
    }
  }
  return out;
}

}  // namespace actio::runtime
