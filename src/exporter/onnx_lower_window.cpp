// Convolutions and pools.
#include <algorithm>

#include "core/error.h"
#include "exporter/onnx_lower.h"

namespace actio::exporter {

using net::Op;

namespace {

// The axes of a window, [height, width] or, in one dimension, [width].
struct Window {
  Integers kernel, stride, dilation, before, after;

  Integers pads() const {
    Integers all = before;
    all.insert(all.end(), after.begin(), after.end());
    return all;
  }
  bool padded() const {
    return std::ranges::any_of(pads(), [](std::int64_t pad) { return pad != 0; });
  }
  bool dilated() const {
    return std::ranges::any_of(dilation, [](std::int64_t step) { return step != 1; });
  }
  void drop_padding() {
    std::ranges::fill(before, 0);
    std::ranges::fill(after, 0);
  }
};

Window window_of(const net::Node& node) {
  const net::Attrs& a = node.attrs;
  if (node.op == Op::kConv1d) {
    return {{a.kernel[1]}, {a.stride[1]}, {a.dilation[1]}, {a.padding.left}, {a.padding.right}};
  }
  return {{a.kernel[0], a.kernel[1]}, {a.stride[0], a.stride[1]}, {a.dilation[0], a.dilation[1]},
          {a.padding.top, a.padding.left}, {a.padding.bottom, a.padding.right}};
}

// Engines differ in what they make of ceil_mode, so it becomes padding: exactly what the last window reaches.
Window without_ceil_mode(const net::Node& node, const Shape& in, const Shape& out) {
  Window window = window_of(node);
  if (!node.attrs.ceil_mode) return window;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t reach = (out[i + 1] - 1) * window.stride[i] + (window.kernel[i] - 1) * window.dilation[i] + 1;
    window.after[i] = std::max<std::int64_t>(0, reach - in[i + 1] - window.before[i]);
  }
  return window;
}

// One over the number of taps that count, for each output position: f32 [1, 1, H, W].
Tensor inverse_counts(const net::Attrs& attrs, const Shape& in, const Shape& out) {
  const auto count = [&](std::size_t axis, std::int64_t position, std::int64_t before, std::int64_t after) {
    std::int64_t taps = 0;
    for (std::int64_t k = 0; k < attrs.kernel[axis]; ++k) {
      const std::int64_t at = position * attrs.stride[axis] + k * attrs.dilation[axis] - before;
      if (attrs.count_padding ? at < in[axis + 1] + after : at >= 0 && at < in[axis + 1]) ++taps;
    }
    return taps;
  };
  Tensor factors({1, 1, out[1], out[2]});
  auto factor = factors.values<float>().begin();
  for (std::int64_t y = 0; y < out[1]; ++y) {
    const std::int64_t rows = count(0, y, attrs.padding.top, attrs.padding.bottom);
    for (std::int64_t x = 0; x < out[2]; ++x) {
      const std::int64_t taps = rows * count(1, x, attrs.padding.left, attrs.padding.right);
      *factor++ = taps == 0 ? 0.0F : static_cast<float>(1.0 / static_cast<double>(taps));
    }
  }
  return factors;
}

}  // namespace

std::string Lowering::padded(const net::Node& node, const Integers& before, const Integers& after) {
  Integers pads = {0, 0};
  pads.insert(pads.end(), before.begin(), before.end());
  pads.insert(pads.end(), {0, 0});
  pads.insert(pads.end(), after.begin(), after.end());
  return graph_.add(node.name + ".pad", {"Pad", {tensor(node)}, {{"pads", pads}}});
}

void Lowering::lower_conv(const net::Node& node) {
  Window window = window_of(node);
  std::vector<std::string> inputs = {tensor(node)};
  // Uneven padding as a node of its own: not every engine takes it in the convolution.
  if (window.before != window.after) {
    inputs = {padded(node, window.before, window.after)};
    window.drop_padding();
  }
  inputs.push_back(weight_constant(node, ".weight"));
  if (node.attrs.bias) inputs.push_back(weight_constant(node, ".bias"));
  emit(node, {"Conv", inputs,
              {{"kernel_shape", window.kernel}, {"strides", window.stride}, {"dilations", window.dilation},
               {"pads", window.pads()}, {"group", node.attrs.groups}}});
}

void Lowering::lower_max_pool(const net::Node& node) {
  const Window window = without_ceil_mode(node, row(node.inputs[0]), row(node.name));
  OnnxOp op = {"MaxPool", tensors(node), {{"kernel_shape", window.kernel}, {"strides", window.stride}, {"pads", window.pads()}}};
  if (window.dilated()) op.attributes.emplace_back("dilations", window.dilation);
  emit(node, op);
}

void Lowering::lower_avg_pool(const net::Node& node) {
  Window window = without_ceil_mode(node, row(node.inputs[0]), row(node.name));
  if (window.dilated()) return lower_dilated_avg_pool(node);
  std::vector<std::string> inputs = tensors(node);
  if (node.attrs.count_padding && window.padded()) {
    // Padding that counts is a node of its own, for OpenCV never counts what the pool pads. What only ceil_mode reaches does
    // not count.
    const Integers asked = window_of(node).after;
    Integers counted(2), overhang(2);
    for (std::size_t i = 0; i < 2; ++i) {
      counted[i] = std::min(asked[i], window.after[i]);
      overhang[i] = window.after[i] - counted[i];
    }
    inputs = {padded(node, window.before, counted)};
    window.before = {0, 0};
    window.after = overhang;
  }
  emit(node, {"AveragePool", inputs, {{"kernel_shape", window.kernel}, {"strides", window.stride}, {"pads", window.pads()}}});
}

// AveragePool knows no dilation in this opset: a convolution of each channel alone, times one over what each position counts.
void Lowering::lower_dilated_avg_pool(const net::Node& node) {
  const Shape &in = row(node.inputs[0]), &out = row(node.name);
  const Window window = without_ceil_mode(node, in, out);
  const Tensor factors = inverse_counts(node.attrs, in, out);
  const float first = factors.values<float>()[0];
  const bool even = std::ranges::all_of(factors.values<float>(), [&](float factor) { return factor == first; });
  Tensor taps({in[0], 1, window.kernel[0], window.kernel[1]});
  std::ranges::fill(taps.values<float>(), even ? first : 1.0F);
  const OnnxOp sum = {
      "Conv", {padded(node, window.before, window.after), graph_.constant(node.name + ".taps", taps)},
      {{"kernel_shape", window.kernel}, {"strides", window.stride}, {"dilations", window.dilation}, {"group", in[0]}}};
  if (even) return emit(node, sum);
  emit(node, {"Mul", {graph_.add(node.name + ".sum", sum), graph_.constant(node.name + ".inverse_counts", factors)}});
}

void Lowering::lower_global_avg_pool(const net::Node& node) {
  const std::string pooled = graph_.add(node.name + ".pool", {"GlobalAveragePool", tensors(node)});
  emit(node, {"Flatten", {pooled}, {{"axis", 1}}});
}

}  // namespace actio::exporter
