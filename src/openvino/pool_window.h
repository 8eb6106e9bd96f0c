// openvino: windows as OpenVINO wants them. In: a node and its shapes. Out: kernels, steps, padding; what an average is divided by.
#pragma once

#include <array>

#include "core/tensor.h"
#include "net/netspec.h"
#include "openvino/bridge.h"

namespace actio::openvino {

// Of a convolution; conv1d has the one axis.
Window window_of(const net::Node& node);

struct PoolWindow {
  Window window;                       // whose padding makes the number of results come out without ceil_mode
  std::array<std::int64_t, 2> read{};  // of the input's height and width, what windows reach
  bool dilated = false;
  bool extended = false;  // windows reach beyond the node's own padding
};

PoolWindow pool_window_of(const net::Node& node, const Shape& in, const Shape& out);

// f32 [1, 1, height, width] of the results: one over the elements that an average counts.
Tensor shares_of_taps(const net::Node& node, const Shape& in, const Shape& out);

}  // namespace actio::openvino
