// openvino: what bridge*.cpp share. In: OpenVINO's headers. Out: a graph's nodes.
#pragma once

#include <openvino/openvino.hpp>

#include "openvino/bridge.h"

namespace actio::openvino {

struct Graph::Parts {
  std::string name;
  std::vector<ov::Output<ov::Node>> values;
  ov::ParameterVector inputs;
  ov::ResultVector outputs;

  template <typename Op, typename... Arguments>
  Value add(Arguments&&... arguments) {
    const auto node = std::make_shared<Op>(std::forward<Arguments>(arguments)...);
    if (!name.empty()) node->set_friendly_name(name);
    values.push_back(node->output(0));
    return values.size() - 1;
  }
};

}  // namespace actio::openvino
