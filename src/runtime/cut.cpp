#include "runtime/cut.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/options.h"
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

// The node that `name` stands for: itself, or the last one of a stage.
const std::string& kept_node(const net::NetSpec& spec, const std::string& name) {
  if (const auto node = std::ranges::find(spec.nodes, name, &net::Node::name); node != spec.nodes.end()) return node->name;
  if (const auto stage = std::ranges::find(spec.stages, name, &net::Stage::name); stage != spec.stages.end())
    return stage->node;
  std::vector<std::string> known;
  for (const net::Node& node : spec.nodes) known.push_back(node.name);
  for (const net::Stage& stage : spec.stages) known.push_back(stage.name);
  const std::string nearest = nearest_name(name, known);
  fail_usage("{}: cannot keep '{}', which is neither a node nor a stage{}", spec.name, name,
             nearest.empty() ? "" : fmt::format("; the nearest is '{}'", nearest));
}

std::vector<Result> results_of(const net::NetSpec& spec, std::span<const std::string> keep, const net::Inferred& inferred,
                               const Names& values) {
  std::map<std::string, std::string> asked = {{spec.scores, spec.scores}, {spec.output, spec.output}};  // name -> node
  for (const net::Head& head : spec.heads) {
    if (!head.training_only) asked[head.node] = head.node;
  }
  for (const std::string& name : keep) asked[name] = kept_node(spec, name);
  std::vector<Result> results;
  for (const auto& [name, node] : asked) {
    const std::string& value = values.at(node);
    results.push_back({name, inferred.at(value).granularity, value, inferred.at(value).shape});
  }
  return results;
}

std::set<std::string> needed_nodes(const net::NetSpec& spec, const Names& values, const std::vector<Result>& results) {
  std::set<std::string> needed;
  for (const Result& result : results) needed.insert(result.value);
  for (auto node = spec.nodes.rbegin(); node != spec.nodes.rend(); ++node) {
    if (!needed.contains(node->name)) continue;
    for (const std::string& input : node->inputs) needed.insert(values.at(input));
  }
  return needed;
}

void add_output(Subgraph& piece, const std::string& name, const Shape& shape) {
  if (std::ranges::find(piece.outputs, name, &Port::name) == piece.outputs.end()) piece.outputs.push_back({name, shape});
}

// Values that only differences are taken of, and these differences: nobody looks at their elements.
void free_orders(Cut& parts) {
  const auto is_result = [&](const std::string& value) { return std::ranges::find(parts.results, value, &Result::value) != parts.results.end(); };
  for (Port& port : parts.snippet.outputs) {
    const bool differences = std::ranges::all_of(parts.ops, [&](const SegmentOp& op) { return op.input != port.name || op.op == Op::kSegmentDiff; });
    if (!differences || is_result(port.name) || port.shape.size() != 3) continue;
    port.any_order = true;
    for (const SegmentOp& op : parts.ops) {
      if (op.input == port.name) std::ranges::find(parts.pair.inputs, op.name, &Port::name)->any_order = true;
    }
  }
}

Subgraph& piece_of(Cut& cut, Granularity granularity) {
  return granularity == Granularity::kSnippet ? cut.snippet : granularity == Granularity::kPair ? cut.pair : cut.clip;
}

}  // namespace

const Subgraph& Cut::piece(Granularity granularity) const {
  return granularity == Granularity::kSnippet ? snippet : granularity == Granularity::kPair ? pair : clip;
}

Cut cut(const net::NetSpec& spec, std::span<const std::string> keep) {
  const net::Inferred inferred = net::infer(spec);
  const Names values = values_of_nodes(spec);
  Cut parts;
  parts.results = results_of(spec, keep, inferred, values);
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
  for (const Result& result : parts.results) add_output(piece_of(parts, result.granularity), result.value, result.shape);
  free_orders(parts);
  return parts;
}

}  // namespace actio::runtime
