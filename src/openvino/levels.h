// openvino: the runtime's 8 bits as levels of OpenVINO's. In: ranges, scales. Out: levels.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "net/quantization.h"
#include "openvino/bridge.h"

namespace actio::openvino {

// Of a value of `rank` sizes, its rows among them.
Levels levels_of(const net::Range& range, std::size_t rank);

// Of a weight of this shape, with a scale for each output channel.
Levels levels_of(const std::vector<float>& scales, const Shape& weight, std::int64_t groups);

}  // namespace actio::openvino
