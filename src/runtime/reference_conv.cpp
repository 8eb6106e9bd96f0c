#include <algorithm>

#include "runtime/reference_ops.h"

namespace actio::runtime {
namespace {

// One axis of a sliding window: output position o reads o*stride + tap*dilation - before.
struct Axis {
  std::int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, before = 0;

  // The output positions whose tap lies inside of the input: [first, last).
  std::pair<std::int64_t, std::int64_t> inside(std::int64_t tap) const {
    std::int64_t first = 0, last = out;
    while (first < last && source(first, tap) < 0) ++first;
    while (last > first && source(last - 1, tap) >= in) --last;
    return {first, last};
  }
  std::int64_t source(std::int64_t position, std::int64_t tap) const { return position * stride + tap * dilation - before; }
};

struct Window {
  Axis y, x;
};

Window window_of(const OpCall& call) {
  const net::Attrs& attrs = call.node.attrs;
  const Shape& in = call.inputs[0].shape;
  const Axis x{in.back(), call.out_shape.back(), attrs.kernel[1], attrs.stride[1], attrs.dilation[1], attrs.padding.left};
  if (call.node.op == net::Op::kConv1d) return {Axis{}, x};
  return {Axis{in[1], call.out_shape[1], attrs.kernel[0], attrs.stride[0], attrs.dilation[0], attrs.padding.top}, x};
}

// sums[y][x] += weight[ky][kx] * in[...] over the window, for one input plane.
void add_plane(const Window& window, const float* in, const float* weight, std::vector<double>& sums) {
  for (std::int64_t ky = 0; ky < window.y.kernel; ++ky) {
    for (std::int64_t kx = 0; kx < window.x.kernel; ++kx) {
      const double w = weight[ky * window.x.kernel + kx];
      const auto [y_first, y_last] = window.y.inside(ky);
      const auto [x_first, x_last] = window.x.inside(kx);
      for (std::int64_t y = y_first; y < y_last; ++y) {
        const float* row = in + window.y.source(y, ky) * window.x.in;
        double* sum = sums.data() + y * window.x.out;
        for (std::int64_t x = x_first; x < x_last; ++x) sum[x] += w * row[window.x.source(x, kx)];
      }
    }
  }
}

}  // namespace

void reference_conv(const OpCall& call) {
  const Window window = window_of(call);
  const std::int64_t in_channels = call.inputs[0].shape[0];
  const std::int64_t out_channels = call.out_shape[0];
  const std::int64_t in_per_group = in_channels / call.node.attrs.groups;
  const std::int64_t out_per_group = out_channels / call.node.attrs.groups;
  const std::int64_t in_plane = window.y.in * window.x.in;
  const std::int64_t out_plane = window.y.out * window.x.out;
  const std::int64_t taps = window.y.kernel * window.x.kernel;
  const float* weight = call.param(".weight");
  const float* bias = call.node.attrs.bias ? call.param(".bias") : nullptr;

  parallel_for(call.rows * out_channels, call.threads, [&](std::int64_t job) {
    const std::int64_t row = job / out_channels;
    const std::int64_t o = job % out_channels;
    std::vector<double> sums(out_plane, bias ? bias[o] : 0.0);
    for (std::int64_t i = 0; i < in_per_group; ++i) {
      const std::int64_t channel = o / out_per_group * in_per_group + i;
      add_plane(window, call.inputs[0].data + (row * in_channels + channel) * in_plane,
                weight + (o * in_per_group + i) * taps, sums);
    }
    std::ranges::transform(sums, call.out + job * out_plane, [](double sum) { return static_cast<float>(sum); });
  });
}

void reference_linear(const OpCall& call) {
  const std::int64_t in = call.inputs[0].shape[0];
  const std::int64_t out = call.out_shape[0];
  const float* weight = call.param(".weight");
  const float* bias = call.node.attrs.bias ? call.param(".bias") : nullptr;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    for (std::int64_t o = 0; o < out; ++o) {
      double sum = bias ? bias[o] : 0.0;
      for (std::int64_t i = 0; i < in; ++i)
        sum += static_cast<double>(weight[o * in + i]) * call.inputs[0].data[row * in + i];
      call.out[row * out + o] = static_cast<float>(sum);
    }
  }
}

}  // namespace actio::runtime
