#include <set>
#include <utility>

#include "core/error.h"
#include "net/describe.h"

namespace actio::net {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') result += '\\';
    result += letter;
  }
  return result + "\"";
}

const char* colour(Granularity granularity) {
  switch (granularity) {
    case Granularity::kSnippet: return "#dbe9f6";
    case Granularity::kPair: return "#fde3cf";
    case Granularity::kClip: return "#ddf0d8";
  }
  return "white";
}

std::string box_label(const PartSummary& part) {
  std::string label = fmt::format("{}\nper {}  {}", part.name, granularity_name(part.granularity), shape_text(part.shape));
  if (part.parameters > 0) label += fmt::format("\n{} parameters", count_text(part.parameters));
  if (part.multiply_adds > 0) label += fmt::format("\n{} multiply-adds", count_text(part.multiply_adds));
  return label;
}

// Graphviz takes \n for a line end; nothing else of a label may hold a backslash, names come from files.
std::string label_text(const std::string& label) {
  std::string text = quoted(label);
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) text.replace(at, 1, "\\n");
  return text;
}

bool changes_rows(Op op) { return op == Op::kSegmentDiff || op == Op::kSegmentMean || op == Op::kSegmentStack; }

}  // namespace

std::string to_dot(const Description& d, const NetSpec& spec) {
  const std::string title = fmt::format("{}, {} segments: {} parameters, {} multiply-adds a clip, {} for one more snippet of a stream",
                                        d.name, d.segments, count_text(d.parameters), count_text(d.clip_multiply_adds),
                                        count_text(d.stream_multiply_adds));
  std::string text = fmt::format("digraph {} {{\n  label={};\n  node [shape=box, style=\"filled,rounded\", fontname=\"sans-serif\"];\n"
                                 "  edge [fontname=\"sans-serif\", fontsize=10];\n", quoted(d.name), label_text(title));
  for (std::size_t i = 0; i < d.parts.size(); ++i) {
    text += fmt::format("  p{} [label={}, fillcolor=\"{}\"];\n", i, label_text(box_label(d.parts[i])), colour(d.parts[i].granularity));
  }
  const Inferred inferred = infer(spec);
  std::set<std::string> edges;
  for (std::size_t i = 0; i < spec.nodes.size(); ++i) {
    const Node& node = spec.nodes[i];
    for (const std::string& input : node.inputs) {
      const std::size_t from = d.part_of_node[inferred.index.find(input)->second], to = d.part_of_node[i];
      if (from == to) continue;
      const std::string name = changes_rows(node.op) ? fmt::format(" [label={}]", quoted(std::string(op_name(node.op)))) : "";
      const std::string edge = fmt::format("  p{} -> p{}{};\n", from, to, name);
      if (edges.insert(edge).second) text += edge;
    }
  }
  return text + "}\n";
}

}  // namespace actio::net
