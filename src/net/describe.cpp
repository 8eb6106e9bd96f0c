#include "net/describe.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace actio::net {
namespace {

std::int64_t learned_count(const NodeInfo& info) {
  std::int64_t count = 0;
  for (const ParamInfo& param : info.params) {
    if (param.role != ParamRole::kRunningMean && param.role != ParamRole::kRunningVar) count += shape_numel(param.shape);
  }
  return count;
}

std::string prefix_of(const std::string& name) { return name.substr(0, name.find('.')); }

// The stage that a node was written for: nodes come in the order of their stages, so a stage is the run of nodes of its prefix up
// to its last node; what follows the last stage is the head.
std::vector<std::string> part_names(const NetSpec& spec) {
  std::vector<std::string> names;
  std::set<std::string> finished;
  for (std::size_t i = 0; i < spec.nodes.size(); ++i) {
    const std::string& node = spec.nodes[i].name;
    const std::string prefix = prefix_of(node);
    std::string part = prefix;
    for (const Stage& stage : spec.stages) {
      if (prefix_of(stage.name) != prefix) continue;
      part = finished.contains(stage.name) ? prefix + ".head" : stage.name;
      if (!finished.contains(stage.name)) break;
    }
    if (spec.nodes[i].op == Op::kInput) part = "input " + node;
    names.push_back(part);
    for (const Stage& stage : spec.stages) {
      if (stage.node == node) finished.insert(stage.name);
    }
  }
  return names;
}

}  // namespace

std::string count_text(std::int64_t count) {
  const auto value = static_cast<double>(count);
  if (count >= 1'000'000'000) return fmt::format("{:.2f} G", value / 1e9);
  if (count >= 1'000'000) return fmt::format("{:.2f} M", value / 1e6);
  if (count >= 1'000) return fmt::format("{:.1f} k", value / 1e3);
  return fmt::format("{}", count);
}

Description describe(const NetSpec& spec) {
  const Inferred inferred = infer(spec);
  const std::vector<std::string> names = part_names(spec);
  Description description{spec.name, spec.segments, {}, {}, 0, {}, 0, 0};
  for (std::size_t i = 0; i < spec.nodes.size(); ++i) {
    const NodeInfo& info = inferred.nodes[i];
    auto& parts = description.parts;
    auto part = std::ranges::find_if(parts, [&](const PartSummary& p) {
      return p.name == names[i] && p.granularity == info.granularity;
    });
    if (part == parts.end()) part = parts.insert(parts.end(), PartSummary{names[i], info.granularity, {}, 0, 0, 0});
    description.part_of_node.push_back(static_cast<std::size_t>(part - parts.begin()));
    part->shape = info.shape;
    part->nodes += 1;
    part->parameters += learned_count(info);
    part->multiply_adds += info.multiply_adds;
    description.parameters += learned_count(info);
    description.row_multiply_adds[static_cast<std::size_t>(info.granularity)] += info.multiply_adds;
  }
  const auto& [snippet, pair, clip] = description.row_multiply_adds;
  description.clip_multiply_adds = spec.segments * snippet + (spec.segments - 1) * pair + clip;
  description.stream_multiply_adds = snippet + pair + clip;
  return description;
}

std::string to_text(const Description& d) {
  std::string text = fmt::format("{}, {} segments\n\n{:<20} {:<8} {:<18} {:>5} {:>12} {:>12}\n", d.name, d.segments, "part", "per",
                                 "output", "nodes", "parameters", "multiply-adds");
  for (const PartSummary& part : d.parts) {
    text += fmt::format("{:<20} {:<8} {:<18} {:>5} {:>12} {:>12}\n", part.name, granularity_name(part.granularity),
                        shape_text(part.shape), part.nodes, count_text(part.parameters), count_text(part.multiply_adds));
  }
  text += fmt::format("\n{:<40} {:>12}\n", "parameters", count_text(d.parameters));
  text += fmt::format("{:<40} {:>12}\n", "multiply-adds of a snippet", count_text(d.row_multiply_adds[0]));
  if (d.row_multiply_adds[1] > 0) text += fmt::format("{:<40} {:>12}\n", "multiply-adds of a pair", count_text(d.row_multiply_adds[1]));
  text += fmt::format("{:<40} {:>12}\n", "multiply-adds of the clip part", count_text(d.row_multiply_adds[2]));
  text += fmt::format("{:<40} {:>12}\n", "multiply-adds of a whole clip", count_text(d.clip_multiply_adds));
  text += fmt::format("{:<40} {:>12}\n", "multiply-adds of one more snippet", count_text(d.stream_multiply_adds));
  return text;
}

Json to_json(const Description& d, const NetSpec& spec) {
  Json json;
  json["name"] = d.name;
  json["segments"] = d.segments;
  json["parameters"] = d.parameters;
  json["multiply_adds"] = {{"snippet", d.row_multiply_adds[0]}, {"pair", d.row_multiply_adds[1]}, {"clip", d.row_multiply_adds[2]},
                           {"whole_clip", d.clip_multiply_adds}, {"one_more_snippet", d.stream_multiply_adds}};
  json["parts"] = Json::array();
  for (const PartSummary& part : d.parts) {
    json["parts"].push_back({{"name", part.name}, {"per", granularity_name(part.granularity)}, {"output", part.shape},
                             {"nodes", part.nodes}, {"parameters", part.parameters}, {"multiply_adds", part.multiply_adds}});
  }
  const Inferred inferred = infer(spec);
  json["nodes"] = Json::array();
  for (std::size_t i = 0; i < spec.nodes.size(); ++i) {
    const NodeInfo& info = inferred.nodes[i];
    json["nodes"].push_back({{"name", spec.nodes[i].name}, {"op", op_name(spec.nodes[i].op)}, {"inputs", spec.nodes[i].inputs},
                             {"per", granularity_name(info.granularity)}, {"shape", info.shape},
                             {"parameters", learned_count(info)}, {"multiply_adds", info.multiply_adds}});
  }
  return json;
}

}  // namespace actio::net
