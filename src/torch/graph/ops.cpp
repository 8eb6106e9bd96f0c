#include "torch/graph/ops.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace actio::torch_train {
namespace {

// Rows and columns around the input such that windows without padding give exactly the output's size. A negative number cuts
// rows that no window reaches.
struct Frame {
  std::int64_t top, bottom, left, right;
};

std::int64_t trailing(const net::Attrs& attrs, std::size_t axis, std::int64_t size, std::int64_t leading, std::int64_t out) {
  const std::int64_t reach = (attrs.kernel[axis] - 1) * attrs.dilation[axis] + 1;
  return (out - 1) * attrs.stride[axis] + reach - size - leading;
}

at::Tensor framed(const net::Attrs& attrs, const at::Tensor& x, const Shape& out_shape, double value) {
  const net::Padding& pad = attrs.padding;
  const Frame frame = {pad.top, trailing(attrs, 0, x.size(2), pad.top, out_shape[1]), pad.left,
                       trailing(attrs, 1, x.size(3), pad.left, out_shape[2])};
  return at::constant_pad_nd(x, {frame.left, frame.right, frame.top, frame.bottom}, value);
}

// Whether LibTorch's pools accept the padding: equal on opposite sides and at most half of the window.
bool plain_padding(const net::Attrs& attrs) {
  const net::Padding& pad = attrs.padding;
  return pad.top == pad.bottom && pad.left == pad.right && 2 * pad.top <= attrs.kernel[0] && 2 * pad.left <= attrs.kernel[1];
}

// How many elements each window along one axis averages over.
std::vector<double> window_counts(const net::Attrs& attrs, std::size_t axis, std::int64_t size, std::int64_t out) {
  const std::int64_t leading = axis == 0 ? attrs.padding.top : attrs.padding.left;
  const std::int64_t behind = axis == 0 ? attrs.padding.bottom : attrs.padding.right;
  const std::int64_t low = attrs.count_padding ? -leading : 0;
  const std::int64_t high = attrs.count_padding ? size + behind : size;
  std::vector<double> counts;
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t start = i * attrs.stride[axis] - leading;
    counts.push_back(static_cast<double>(std::min(start + attrs.kernel[axis], high) - std::max(start, low)));
  }
  return counts;
}

std::vector<std::int64_t> split_rows(const at::Tensor& x, std::int64_t segments) {
  std::vector<std::int64_t> sizes = {x.size(0) / segments, segments};
  sizes.insert(sizes.end(), x.sizes().begin() + 1, x.sizes().end());
  return sizes;
}

// On AVX2 alone, the gradient by a strided 1 x 1 convolution of 2 to 7 channels is written past its block by oneDNN 2.6, which LibTorch 1.13 has.
bool needs_own_stride(const net::Attrs& attrs, const at::Tensor& x) {
  const net::Padding& pad = attrs.padding;
  return x.size(1) < 8 && attrs.kernel[0] * attrs.kernel[1] == 1 && attrs.stride[0] * attrs.stride[1] > 1 &&
         pad.top + pad.bottom + pad.left + pad.right == 0;
}

at::Tensor every(const std::array<std::int64_t, 2>& stride, const at::Tensor& x) {
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  return channels_last(x.slice(2, 0, kEnd, stride[0]).slice(3, 0, kEnd, stride[1]));
}

}  // namespace

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

at::Tensor conv2d(const net::Attrs& attrs, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const net::Padding& pad = attrs.padding;
  if (needs_own_stride(attrs, x)) return at::conv2d(every(attrs.stride, x), weight, bias, 1, at::IntArrayRef{0, 0}, 1, attrs.groups);
  if (pad.top == pad.bottom && pad.left == pad.right) {
    return at::conv2d(x, weight, bias, attrs.stride, at::IntArrayRef{pad.top, pad.left}, attrs.dilation, attrs.groups);
  }
  const at::Tensor padded = at::constant_pad_nd(x, {pad.left, pad.right, pad.top, pad.bottom});
  return at::conv2d(padded, weight, bias, attrs.stride, at::IntArrayRef{0, 0}, attrs.dilation, attrs.groups);
}

at::Tensor conv1d(const net::Attrs& attrs, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const net::Padding& pad = attrs.padding;
  const bool even = pad.left == pad.right;
  const at::Tensor padded = even ? x : at::constant_pad_nd(x, {pad.left, pad.right});
  return at::conv1d(padded, weight, bias, attrs.stride[1], even ? pad.left : 0, attrs.dilation[1], attrs.groups);
}

at::Tensor max_pool2d(const net::Attrs& attrs, const at::Tensor& x, const Shape& out_shape) {
  if (plain_padding(attrs)) {
    return at::max_pool2d(x, attrs.kernel, attrs.stride, {attrs.padding.top, attrs.padding.left}, attrs.dilation,
                          attrs.ceil_mode);
  }
  const at::Tensor padded = framed(attrs, x, out_shape, -std::numeric_limits<double>::infinity());
  return at::max_pool2d(padded, attrs.kernel, attrs.stride, {0, 0}, attrs.dilation);
}

at::Tensor avg_pool2d(const net::Attrs& attrs, const at::Tensor& x, const Shape& out_shape) {
  if (plain_padding(attrs)) {
    return at::avg_pool2d(x, attrs.kernel, attrs.stride, {attrs.padding.top, attrs.padding.left}, attrs.ceil_mode,
                          attrs.count_padding);
  }
  const at::Tensor sums = at::avg_pool2d(framed(attrs, x, out_shape, 0), attrs.kernel, attrs.stride, {0, 0}, false, true, 1);
  const at::Tensor rows = at::tensor(window_counts(attrs, 0, x.size(2), out_shape[1]));
  const at::Tensor columns = at::tensor(window_counts(attrs, 1, x.size(3), out_shape[2]));
  return sums / at::outer(rows, columns).to(x.options());
}

at::Tensor dropout(const at::Tensor& x, double probability, at::Generator& generator) {
  if (probability == 0) return x;
  const at::Tensor kept = at::empty_like(x).bernoulli_(1 - probability, generator);
  return x * kept.div_(1 - probability);
}

at::Tensor weighted_sum(const std::vector<at::Tensor>& xs, const at::Tensor& weight) {
  at::Tensor sum = xs[0] * weight.select(0, 0);
  for (std::size_t i = 1; i < xs.size(); ++i) sum = sum + xs[i] * weight.select(0, static_cast<std::int64_t>(i));
  return sum;
}

at::Tensor segment_diff(const at::Tensor& x, std::int64_t segments) {
  const at::Tensor split = x.reshape(split_rows(x, segments));
  const at::Tensor difference = split.narrow(1, 1, segments - 1) - split.narrow(1, 0, segments - 1);
  return difference.flatten(0, 1);
}

at::Tensor segment_mean(const at::Tensor& x, std::int64_t segments) { return x.reshape(split_rows(x, segments)).mean(1); }

at::Tensor segment_stack(const at::Tensor& x, std::int64_t segments) {
  return x.reshape(split_rows(x, segments)).transpose(1, 2).contiguous();
}

at::Tensor time_tuples(const net::Attrs& attrs, const at::Tensor& x) {
  const std::int64_t length = attrs.kernel[1], tuples = static_cast<std::int64_t>(attrs.indices.size()) / length;
  const at::Tensor picked = x.index_select(2, at::tensor(attrs.indices, at::TensorOptions(at::kLong)).to(x.device()));
  return picked.reshape({x.size(0), x.size(1), tuples, length}).permute({0, 3, 1, 2}).reshape({x.size(0), -1, tuples});
}

}  // namespace actio::torch_train
