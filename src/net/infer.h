// net: checks a network and computes what every node produces. In: a NetSpec. Out: granularity, shape, parameters, cost.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "net/netspec.h"

namespace actio::net {

enum class ParamRole { kWeight, kBias, kScale, kShift, kRunningMean, kRunningVar, kScalars };

struct ParamInfo {
  std::string name;       // "rgb.conv1.weight"
  std::string node;
  ParamRole role = ParamRole::kWeight;
  Shape shape;            // weight of conv2d [O, I/groups, kh, kw], conv1d [O, I/groups, k], linear [O, I]; others [C]
  bool trainable = true;  // false for running statistics and fixed scalars
};

struct NodeInfo {
  Granularity granularity = Granularity::kSnippet;
  Shape shape;                      // of one row: [C, H, W], [C] or [D, K]
  std::int64_t multiply_adds = 0;   // of one row
  std::vector<ParamInfo> params;
};

struct Inferred {
  std::vector<NodeInfo> nodes;                 // in the order of spec.nodes
  std::map<std::string, std::size_t, std::less<>> index;   // node name -> position
  const NodeInfo& at(std::string_view node) const;
};

// What one node makes of its inputs.
NodeInfo infer_node(const Node& node, const std::vector<const NodeInfo*>& inputs, std::int64_t segments);

// Throws: Error naming the node and both values ("rgb.conv1: expected 4-D input, got [2048]").
Inferred infer(const NetSpec& spec);

// Every parameter in the order of the nodes.
std::vector<ParamInfo> parameters(const NetSpec& spec);

// Rows of a value for `clips` clips of `segments` snippets.
std::int64_t row_count(Granularity granularity, std::int64_t clips, std::int64_t segments);

}  // namespace actio::net
