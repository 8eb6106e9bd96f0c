#include "runtime/cut.h"

#include <algorithm>
#include <set>

#include "net/infer.h"

namespace actio::runtime {
namespace {

using net::Granularity;
using net::Op;
using Names = std::map<std::string, std::string, std::less<>>;

bool is_segment_op(Op op) { return op == Op::kSegmentDiff || op == Op::kSegmentMean || op == Op::kSegmentStack; }

// Node -> the node whose value it is: itself, or for a dropout what it reads.
Names values_of_nodes(const net::NetSpec& spec) {
  Names values;
  for (const net::Node& node : spec.nodes)
    values[node.name] = node.op == Op::kDropout ? values.at(node.inputs[0]) : node.name;
  return values;
}

std::set<std::string> needed_nodes(const net::NetSpec& spec, const Names& values, const Names& results) {
  std::set<std::string> needed;
  for (const auto& [name, value] : results) needed.insert(value);
  for (auto node = spec.nodes.rbegin(); node != spec.nodes.rend(); ++node) {
    if (!needed.contains(node->name)) continue;
    for (const std::string& input : node->inputs) needed.insert(values.at(input));
  }
  return needed;
}

void add_output(Subgraph& piece, const std::string& name, const Shape& shape) {
  if (std::ranges::find(piece.outputs, name, &Port::name) == piece.outputs.end()) piece.outputs.push_back({name, shape});
}

Subgraph& piece_of(Cut& cut, Granularity granularity) {
  return granularity == Granularity::kSnippet ? cut.snippet : granularity == Granularity::kPair ? cut.pair : cut.clip;
}

}  // namespace

const Subgraph& Cut::piece(Granularity granularity) const {
  return granularity == Granularity::kSnippet ? snippet : granularity == Granularity::kPair ? pair : clip;
}

Cut cut(const net::NetSpec& spec) {
  const net::Inferred inferred = net::infer(spec);
  const Names values = values_of_nodes(spec);
  Cut parts;
  const auto ask = [&](const std::string& name) { parts.results[name] = values.at(name); };
  ask(spec.scores);
  ask(spec.output);
  for (const net::Head& head : spec.heads) {
    if (!head.training_only) ask(head.node);
  }

  const std::set<std::string> needed = needed_nodes(spec, values, parts.results);
  for (const net::Node& node : spec.nodes) {
    if (!needed.contains(node.name)) continue;
    const net::NodeInfo& info = inferred.at(node.name);
    Subgraph& piece = piece_of(parts, info.granularity);
    if (node.op == Op::kInput) {
      piece.inputs.push_back({node.name, info.shape});
    } else if (is_segment_op(node.op)) {
      const std::string& input = values.at(node.inputs[0]);
      const net::NodeInfo& from = inferred.at(input);
      parts.ops.push_back({node.op, node.name, input, from.granularity, info.granularity});
      piece.inputs.push_back({node.name, info.shape});
      add_output(piece_of(parts, from.granularity), input, from.shape);
    } else {
      net::Node copy = node;
      for (std::string& input : copy.inputs) input = values.at(input);
      piece.nodes.push_back(std::move(copy));
    }
  }
  for (const auto& [name, value] : parts.results) add_output(parts.clip, value, inferred.at(value).shape);
  return parts;
}

}  // namespace actio::runtime
