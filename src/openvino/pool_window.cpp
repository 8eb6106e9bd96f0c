#include "openvino/pool_window.h"

#include <algorithm>

namespace actio::openvino {
namespace {

// For each result, its taps inside of the input, and with the padding counted those in it, too.
std::vector<std::int64_t> taps_of(const net::Attrs& attrs, std::size_t axis, std::int64_t in, std::int64_t out, bool padded) {
  const std::int64_t before = axis == 0 ? attrs.padding.top : attrs.padding.left, after = axis == 0 ? attrs.padding.bottom : attrs.padding.right;
  const std::int64_t low = padded ? -before : 0, high = padded ? in + after : in;
  std::vector<std::int64_t> counts;
  for (std::int64_t o = 0; o < out; ++o) {
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < attrs.kernel[axis]; ++k) {
      const std::int64_t at = o * attrs.stride[axis] + k * attrs.dilation[axis] - before;
      count += at >= low && at < high;
    }
    counts.push_back(count);
  }
  return counts;
}

}  // namespace

Window window_of(const net::Node& node) {
  const net::Attrs& a = node.attrs;
  if (node.op == net::Op::kConv1d) return {{a.kernel[1]}, {a.stride[1]}, {a.dilation[1]}, {a.padding.left}, {a.padding.right}};
  return {{a.kernel[0], a.kernel[1]},
          {a.stride[0], a.stride[1]},
          {a.dilation[0], a.dilation[1]},
          {a.padding.top, a.padding.left},
          {a.padding.bottom, a.padding.right}};
}

PoolWindow pool_window_of(const net::Node& node, const Shape& in, const Shape& out) {
  PoolWindow pool{window_of(node), {in[1], in[2]}, node.attrs.dilation[0] > 1 || node.attrs.dilation[1] > 1, false};
  for (std::size_t axis = 0; axis < 2 && node.attrs.ceil_mode; ++axis) {
    Window& w = pool.window;
    const std::int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
    const std::int64_t after = (out[axis + 1] - 1) * w.stride[axis] + reach - in[axis + 1] - w.before[axis];
    pool.extended = pool.extended || after != w.after[axis];
    pool.read[axis] += std::min<std::int64_t>(after, 0);
    w.after[axis] = std::max<std::int64_t>(after, 0);
  }
  return pool;
}

Tensor shares_of_taps(const net::Node& node, const Shape& in, const Shape& out) {
  const bool padded = node.attrs.count_padding;
  const auto rows = taps_of(node.attrs, 0, in[1], out[1], padded), columns = taps_of(node.attrs, 1, in[2], out[2], padded);
  std::vector<float> shares;
  for (const std::int64_t row : rows) {
    for (const std::int64_t column : columns) shares.push_back(row * column == 0 ? 0.0F : 1 / static_cast<float>(row * column));
  }
  return Tensor::of({1, 1, out[1], out[2]}, shares);
}

}  // namespace actio::openvino
