#include <algorithm>
#include <limits>

#include "runtime/reference_ops.h"

namespace actio::runtime {
namespace {

struct PoolWindow {
  const net::Attrs& attrs;
  std::int64_t height, width;  // of the input

  float max_at(const float* plane, std::int64_t oy, std::int64_t ox) const {
    float best = -std::numeric_limits<float>::infinity();
    visit(oy, ox, [&](std::int64_t y, std::int64_t x) {
      if (inside(y, x)) best = std::max(best, plane[y * width + x]);
    });
    return best;
  }

  // The divisor counts the taps inside of the input, or with count_padding also those in the padding; never those that only
  // ceil_mode reaches.
  float mean_at(const float* plane, std::int64_t oy, std::int64_t ox) const {
    double sum = 0;
    std::int64_t count = 0;
    visit(oy, ox, [&](std::int64_t y, std::int64_t x) {
      const bool in = inside(y, x);
      if (in) sum += plane[y * width + x];
      const bool padded = y < height + attrs.padding.bottom && x < width + attrs.padding.right;
      if (in || (attrs.count_padding && padded)) ++count;
    });
    return count == 0 ? 0.0F : static_cast<float>(sum / static_cast<double>(count));
  }

 private:
  bool inside(std::int64_t y, std::int64_t x) const { return y >= 0 && y < height && x >= 0 && x < width; }

  template <typename Visit>
  void visit(std::int64_t oy, std::int64_t ox, Visit tap) const {
    for (std::int64_t ky = 0; ky < attrs.kernel[0]; ++ky) {
      for (std::int64_t kx = 0; kx < attrs.kernel[1]; ++kx) {
        tap(oy * attrs.stride[0] + ky * attrs.dilation[0] - attrs.padding.top,
            ox * attrs.stride[1] + kx * attrs.dilation[1] - attrs.padding.left);
      }
    }
  }
};

}  // namespace

void reference_pool(const OpCall& call) {
  const Shape& in = call.inputs[0].shape;
  const PoolWindow window{call.node.attrs, in[1], in[2]};
  const std::int64_t out_height = call.out_shape[1];
  const std::int64_t out_width = call.out_shape[2];
  const bool take_max = call.node.op == net::Op::kMaxPool2d;
  parallel_for(call.rows * in[0], call.threads, [&](std::int64_t job) {
    const float* plane = call.inputs[0].data + job * in[1] * in[2];
    float* out = call.out + job * out_height * out_width;
    for (std::int64_t y = 0; y < out_height; ++y) {
      for (std::int64_t x = 0; x < out_width; ++x) {
        out[y * out_width + x] = take_max ? window.max_at(plane, y, x) : window.mean_at(plane, y, x);
      }
    }
  });
}

void reference_mean(const OpCall& call) {
  const std::int64_t channels = call.inputs[0].shape[0];
  const std::int64_t count = shape_numel(call.inputs[0].shape) / channels;
  for (std::int64_t job = 0; job < call.rows * channels; ++job) {
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += call.inputs[0].data[job * count + i];
    call.out[job] = static_cast<float>(sum / static_cast<double>(count));
  }
}

}  // namespace actio::runtime
