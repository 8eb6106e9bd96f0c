#include "net/quantization.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "net/file_bytes.h"

namespace actio::net {
namespace {

bool are_numbers(const Json& json) {
  return json.is_array() && std::ranges::all_of(json, [](const Json& number) { return number.is_number() && std::isfinite(number.get<float>()); });
}

// [low, high, [means]]
Range range_from_json(const Json& json, std::string_view where, const std::string& node) {
  const bool known = json.is_array() && json.size() == 3 && json[0].is_number() && json[1].is_number() && are_numbers(json[2]);
  if (!known) fail_data("{}: the range of '{}' must be two numbers and a list of means", where, shown_name(node));
  const Range range{json[0].get<float>(), json[1].get<float>(), json[2].get<std::vector<float>>()};
  if (!std::isfinite(range.low) || !std::isfinite(range.high) || range.low > range.high) {
    fail_data("{}: the range of '{}' is {} to {}", where, shown_name(node), range.low, range.high);
  }
  return range;
}

}  // namespace

Json to_json(const Quantization& quantization) {
  Json ranges = Json::object();
  for (const auto& [node, range] : quantization.ranges) ranges[node] = {range.low, range.high, range.means};
  return {{"ranges", std::move(ranges)}, {"borne", quantization.borne}, {"record", quantization.record}};
}

Quantization quantization_from_json(const Json& json, const NetSpec& spec, std::string_view where) {
  const bool known = json.is_object() && json.contains("ranges") && json.at("ranges").is_object() && json.contains("borne") &&
                     json.at("borne").is_array() &&
                     std::ranges::all_of(json.at("borne"), [](const Json& name) { return name.is_string(); });
  if (!known) fail_data("{}: must have 'ranges' and 'borne'", where);
  std::set<std::string, std::less<>> nodes;
  for (const Node& node : spec.nodes) nodes.insert(node.name);
  Quantization quantization;
  for (const auto& [node, range] : json.at("ranges").items()) {
    if (!nodes.contains(node)) fail_data("{}: the network has no node '{}'", where, shown_name(node));
    quantization.ranges[node] = range_from_json(range, where, node);
  }
  quantization.borne = json.at("borne").get<std::vector<std::string>>();
  quantization.record = json.value("record", Json());
  return quantization;
}

}  // namespace actio::net
