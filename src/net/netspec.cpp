#include "net/netspec.h"

#include <algorithm>
#include <limits>

#include "core/error.h"

namespace actio::net {
namespace {

struct OpName {
  Op op;
  std::string_view name;
};

constexpr OpName kOpNames[] = {
    {Op::kInput, "input"},
    {Op::kConv2d, "conv2d"},
    {Op::kConv1d, "conv1d"},
    {Op::kBatchNorm, "batch_norm"},
    {Op::kRelu, "relu"},
    {Op::kRelu6, "relu6"},
    {Op::kMaxPool2d, "max_pool2d"},
    {Op::kAvgPool2d, "avg_pool2d"},
    {Op::kGlobalAvgPool, "global_avg_pool"},
    {Op::kTimeMean, "time_mean"},
    {Op::kLinear, "linear"},
    {Op::kDropout, "dropout"},
    {Op::kAdd, "add"},
    {Op::kSub, "sub"},
    {Op::kMul, "mul"},
    {Op::kMax, "max"},
    {Op::kWeightedSum, "weighted_sum"},
    {Op::kConcat, "concat"},
    {Op::kSoftmax, "softmax"},
    {Op::kFlatten, "flatten"},
    {Op::kTimeTuples, "time_tuples"},
    {Op::kSegmentDiff, "segment_diff"},
    {Op::kSegmentMean, "segment_mean"},
    {Op::kSegmentStack, "segment_stack"},
};

// Only what differs from the defaults is written, so that a spec stays readable.
Json attrs_to_json(const Attrs& attrs) {
  const Attrs plain;
  Json json = Json::object();
  const auto put = [&](const char* key, const auto& value, const auto& usual) {
    if (value != usual) json[key] = value;
  };
  put("shape", attrs.shape, plain.shape);
  put("channels", attrs.channels, plain.channels);
  put("kernel", attrs.kernel, plain.kernel);
  put("stride", attrs.stride, plain.stride);
  put("dilation", attrs.dilation, plain.dilation);
  if (attrs.padding != plain.padding) {
    json["padding"] = {attrs.padding.top, attrs.padding.bottom, attrs.padding.left, attrs.padding.right};
  }
  put("groups", attrs.groups, plain.groups);
  put("bias", attrs.bias, plain.bias);
  put("epsilon", attrs.epsilon, plain.epsilon);
  put("momentum", attrs.momentum, plain.momentum);
  put("probability", attrs.probability, plain.probability);
  put("count_padding", attrs.count_padding, plain.count_padding);
  put("ceil_mode", attrs.ceil_mode, plain.ceil_mode);
  put("weights", attrs.weights, plain.weights);
  put("trainable", attrs.trainable, plain.trainable);
  put("indices", attrs.indices, plain.indices);
  return json;
}

// The library would round a fraction, take true for 1, and cast a number of any size.
std::int64_t whole(const Json& json) {
  const bool too_large = json.is_number_unsigned() && json.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
  if (!json.is_number_integer() || too_large) {
    fail_data("a whole number was expected, got {}", json.is_number() ? json.dump() : json.type_name());
  }
  return json.get<std::int64_t>();
}

template <std::size_t kCount>
std::array<std::int64_t, kCount> whole_numbers(const Json& json) {
  if (!json.is_array() || json.size() != kCount) fail_data("a list of {} whole numbers was expected", kCount);
  std::array<std::int64_t, kCount> values;
  std::ranges::transform(json, values.begin(), whole);
  return values;
}

std::vector<std::int64_t> whole_list(const char* what, const Json& json) {
  if (!json.is_array()) fail_data("{} must be a list, got {}", what, json.type_name());
  std::vector<std::int64_t> values;
  for (const Json& value : json) values.push_back(whole(value));
  return values;
}

Attrs attrs_from_json(const Json& json) {
  Attrs attrs;
  for (const auto& [key, value] : json.items()) {
    if (key == "shape") attrs.shape = whole_list("a shape", value);
    else if (key == "channels") attrs.channels = whole(value);
    else if (key == "kernel") attrs.kernel = whole_numbers<2>(value);
    else if (key == "stride") attrs.stride = whole_numbers<2>(value);
    else if (key == "dilation") attrs.dilation = whole_numbers<2>(value);
    else if (key == "padding") {
      const auto sides = whole_numbers<4>(value);
      attrs.padding = {sides[0], sides[1], sides[2], sides[3]};
    }
    else if (key == "groups") attrs.groups = whole(value);
    else if (key == "bias") value.get_to(attrs.bias);
    else if (key == "epsilon") value.get_to(attrs.epsilon);
    else if (key == "momentum") value.get_to(attrs.momentum);
    else if (key == "probability") value.get_to(attrs.probability);
    else if (key == "count_padding") value.get_to(attrs.count_padding);
    else if (key == "ceil_mode") value.get_to(attrs.ceil_mode);
    else if (key == "weights") value.get_to(attrs.weights);
    else if (key == "trainable") value.get_to(attrs.trainable);
    else if (key == "indices") attrs.indices = whole_list("indices", value);
    else fail_data("unknown attribute '{}'", key);
  }
  return attrs;
}

bool training_only(const Json& head) {
  if (!head.contains("training_only")) return false;
  const Json& value = head.at("training_only");
  if (!value.is_boolean()) fail_data("training_only of a head must be true or false, got {}", value.type_name());
  return value.get<bool>();
}

NetSpec parse(const Json& json) {
  NetSpec spec;
  json.at("name").get_to(spec.name);
  spec.segments = whole(json.at("segments"));
  for (const Json& entry : json.at("nodes")) {
    Node node;
    entry.at("name").get_to(node.name);
    node.op = op_from_name(entry.at("op").get<std::string>());
    entry.at("inputs").get_to(node.inputs);
    if (entry.contains("attrs")) node.attrs = attrs_from_json(entry.at("attrs"));
    spec.nodes.push_back(std::move(node));
  }
  for (const Json& entry : json.at("heads")) {
    Head head{entry.at("name").get<std::string>(), entry.at("node").get<std::string>()};
    const std::string loss = entry.at("loss").get<std::string>();
    if (!set_by_name(loss, head.loss)) {
      fail_data("head '{}' has the loss '{}'; known: {}", head.name, loss, fmt::join(all_names<HeadLoss>(), ", "));
    }
    entry.at("weight").get_to(head.weight);
    head.training_only = training_only(entry);
    spec.heads.push_back(std::move(head));
  }
  for (const Json& entry : json.at("stages")) {
    spec.stages.push_back({entry.at("name").get<std::string>(), entry.at("node").get<std::string>()});
  }
  json.at("scores").get_to(spec.scores);
  json.at("output").get_to(spec.output);
  return spec;
}

}  // namespace

std::string_view op_name(Op op) {
  for (const OpName& entry : kOpNames) {
    if (entry.op == op) return entry.name;
  }
  return "?";
}

Op op_from_name(std::string_view name) {
  std::vector<std::string> known;
  for (const OpName& entry : kOpNames) {
    if (entry.name == name) return entry.op;
    known.emplace_back(entry.name);
  }
  throw Error(ErrorCode::kBadData, unknown_name_text("op", name, known));
}

std::string_view granularity_name(Granularity granularity) {
  switch (granularity) {
    case Granularity::kSnippet: return "snippet";
    case Granularity::kPair: return "pair";
    case Granularity::kClip: return "clip";
  }
  return "?";
}

const Node& NetSpec::node(std::string_view wanted) const {
  const auto found = std::ranges::find(nodes, wanted, &Node::name);
  if (found != nodes.end()) return *found;
  std::vector<std::string> known;
  for (const Node& candidate : nodes) known.push_back(candidate.name);
  const std::string nearest = nearest_name(wanted, known);
  fail("{}: has no node '{}'{}", name, wanted, nearest.empty() ? "" : fmt::format("; the nearest is '{}'", nearest));
}

std::vector<std::string> input_names(const NetSpec& spec) {
  std::vector<std::string> names;
  for (const Node& node : spec.nodes) {
    if (node.op == Op::kInput) names.push_back(node.name);
  }
  return names;
}

bool NetSpec::has_input(std::string_view wanted) const {
  return std::ranges::any_of(nodes, [&](const Node& candidate) { return candidate.op == Op::kInput && candidate.name == wanted; });
}

bool is_linear(const Node& node) {
  return node.op == Op::kLinear || (node.op == Op::kConv1d && node.attrs.bias && node.attrs.kernel[1] == 1);
}

Json to_json(const NetSpec& spec) {
  Json json;
  json["name"] = spec.name;
  json["segments"] = spec.segments;
  json["nodes"] = Json::array();
  for (const Node& node : spec.nodes) {
    Json entry;
    entry["name"] = node.name;
    entry["op"] = op_name(node.op);
    entry["inputs"] = node.inputs;
    Json attrs = attrs_to_json(node.attrs);
    if (!attrs.empty()) entry["attrs"] = std::move(attrs);
    json["nodes"].push_back(std::move(entry));
  }
  json["heads"] = Json::array();
  for (const Head& head : spec.heads) {
    json["heads"].push_back({{"name", head.name}, {"node", head.node}, {"loss", name_of(head.loss)}, {"weight", head.weight}});
    if (head.training_only) json["heads"].back()["training_only"] = true;
  }
  json["stages"] = Json::array();
  for (const Stage& stage : spec.stages) json["stages"].push_back({{"name", stage.name}, {"node", stage.node}});
  json["scores"] = spec.scores;
  json["output"] = spec.output;
  return json;
}

NetSpec spec_from_json(const Json& json, std::string_view where) {
  try {
    return parse(json);
  } catch (const Json::exception& error) {
    fail_data("{}: the network definition cannot be read: {}", where, error.what());
  } catch (const Error& error) {
    fail_data("{}: the network definition cannot be read: {}", where, error.what());
  }
}

}  // namespace actio::net
