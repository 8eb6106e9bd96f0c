// Ops over the snippets of a clip and over time.
#include "core/error.h"
#include "exporter/onnx_lower.h"

namespace actio::exporter {

std::int64_t Lowering::rows_of_clip(const net::Node& node) const {
  return net::row_count(inferred_.at(node.inputs[0]).granularity, 1, spec_.segments);
}

std::string Lowering::by_clip(const net::Node& node) {
  Integers shape = {-1, rows_of_clip(node)};
  const Shape& each = row(node.inputs[0]);
  shape.insert(shape.end(), each.begin(), each.end());
  return graph_.reshape(node.name + ".clips", tensor(node), shape);
}

std::string Lowering::slice(const net::Node& node, const std::string& what, const std::string& x, const Range& range) {
  const std::string name = node.name + what;
  return graph_.add(name, {"Slice", {x, graph_.constant(name + ".begin", Integers{range.begin}),
                                     graph_.constant(name + ".end", Integers{range.end}),
                                     graph_.constant(name + ".axis", Integers{range.axis})}});
}

void Lowering::lower_segment_diff(const net::Node& node) {
  const std::string clips = by_clip(node);
  const std::string later = slice(node, ".later", clips, {1, 1, spec_.segments});
  const std::string earlier = slice(node, ".earlier", clips, {1, 0, spec_.segments - 1});
  const std::string difference = graph_.add(node.name + ".sub", {"Sub", {later, earlier}});
  Integers shape = {-1};
  shape.insert(shape.end(), row(node.name).begin(), row(node.name).end());
  emit(node, {"Reshape", {difference, graph_.constant(node.name + ".shape", shape)}});
}

void Lowering::lower_segment_mean(const net::Node& node) {
  emit(node, {"ReduceMean", {by_clip(node)}, {{"axes", Integers{1}}, {"keepdims", 0}}});
}

void Lowering::lower_segment_stack(const net::Node& node) {
  emit(node, {"Transpose", {by_clip(node)}, {{"perm", Integers{0, 2, 1}}}});
}

// [N, D, K] -> K columns [N, D, 1] -> T tuples of d columns [N, d*D, 1] -> [N, d*D, T]. One Gather would do, but OpenCV 4.6
// gathers a single index only.
void Lowering::lower_time_tuples(const net::Node& node) {
  const Integers& indices = node.attrs.indices;
  const std::int64_t length = node.attrs.kernel[1];
  std::map<std::int64_t, std::string> columns;
  for (const std::int64_t index : indices) {
    if (!columns.contains(index)) columns[index] = slice(node, fmt::format(".column.{}", index), tensor(node), {2, index, index + 1});
  }
  std::vector<std::string> tuples;
  for (std::size_t first = 0; first < indices.size(); first += static_cast<std::size_t>(length)) {
    std::vector<std::string> members;
    for (std::size_t i = first; i < first + static_cast<std::size_t>(length); ++i) members.push_back(columns.at(indices[i]));
    tuples.push_back(graph_.add(fmt::format("{}.tuple.{}", node.name, tuples.size()), {"Concat", members, {{"axis", 1}}}));
  }
  emit(node, {"Concat", tuples, {{"axis", 2}}});
}

}  // namespace actio::exporter
