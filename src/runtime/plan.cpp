#include "runtime/plan.h"

namespace actio::runtime {

std::map<std::string, net::NodeInfo, std::less<>> infer_values(const Subgraph& graph) {
  std::map<std::string, net::NodeInfo, std::less<>> values;
  for (const Port& port : graph.inputs) values[port.name].shape = port.shape;
  for (const net::Node& node : graph.nodes) {
    std::vector<const net::NodeInfo*> inputs;
    for (const std::string& input : node.inputs) inputs.push_back(&values.at(input));
    values[node.name] = net::infer_node(node, inputs, 1);
  }
  return values;
}

}  // namespace actio::runtime
