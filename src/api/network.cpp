#include <actio/network.h>

#include <algorithm>
#include <utility>

#include "api/network_impl.h"
#include "core/error.h"
#include "core/json.h"
#include "core/json_text.h"
#include "net/builder.h"
#include "net/describe.h"
#include "net/infer.h"
#include "net/zoo/backbone.h"

namespace actio {
namespace {

// Those that apply() may be asked for: of their inputs alone.
const std::vector<net::Op>& plain_operations() {
  using net::Op;
  static const std::vector<Op> kOperations = {Op::kGlobalAvgPool, Op::kTimeMean, Op::kAdd,         Op::kSub,         Op::kMul,
                                              Op::kMax,           Op::kConcat,   Op::kSoftmax,     Op::kFlatten,     Op::kRelu6,
                                              Op::kSegmentDiff,   Op::kSegmentMean, Op::kSegmentStack};
  return kOperations;
}

net::Op operation_named(std::string_view name) {
  std::vector<std::string> known;
  for (const net::Op op : plain_operations()) {
    if (net::op_name(op) == name) return op;
    known.emplace_back(net::op_name(op));
  }
  fail_unknown_name("operation", name, known);
}

net::Conv own_one(const ConvOptions& options) {
  net::Conv conv{options.channels, options.kernel, options.stride, options.groups, options.bias};
  conv.padding = net::same_padding(options.padding);
  return conv;
}

}  // namespace

const std::string& Network::name() const { return impl_->spec.name; }
std::int64_t Network::segments() const { return impl_->spec.segments; }
const Inputs& Network::inputs() const { return impl_->inputs; }
std::string Network::describe() const { return net::to_text(net::describe(impl_->spec)); }

std::string Network::to_json() const {
  return json_text({{"network", net::to_json(impl_->spec)}, {"inputs", actio::to_json(impl_->inputs)}});
}

Network Network::from_json(const std::string& text) {
  const Json json = parse_json(text, "the network");
  for (const char* key : {"network", "inputs"}) {
    if (!json.is_object() || !json.contains(key)) fail_data("the network: has no '{}'", key);
  }
  Impl impl{net::spec_from_json(json.at("network"), "the network"), {}};
  try {
    impl.inputs = inputs_from_json(json.at("inputs"), "the network's inputs");
  } catch (const Error& error) {
    throw Error(ErrorCode::kBadData, error.what());
  }
  net::infer(impl.spec);
  return Network(std::make_shared<const Impl>(std::move(impl)));
}

struct NetworkBuilder::Impl {
  net::Builder builder;
  Inputs inputs;
};

NetworkBuilder::NetworkBuilder(std::string name, std::int64_t segments, const Framing& framing)
    : impl_(new Impl{net::Builder(std::move(name), segments), {framing, {}}}) {
  if (segments < 1) fail_usage("a network has 1 segment or more, got {}", segments);
}

NetworkBuilder::~NetworkBuilder() = default;
NetworkBuilder::NetworkBuilder(NetworkBuilder&&) noexcept = default;
NetworkBuilder& NetworkBuilder::operator=(NetworkBuilder&&) noexcept = default;

Value NetworkBuilder::input(const InputSpec& input) {
  Inputs inputs = impl_->inputs;
  inputs.list.push_back(input);
  check_inputs(inputs);
  Value value = impl_->builder.input(input.name, input.row());
  impl_->inputs = std::move(inputs);
  return value;
}

Value NetworkBuilder::conv2d(const std::string& name, const Value& x, const ConvOptions& options) {
  return impl_->builder.conv2d(name, x, own_one(options));
}

Value NetworkBuilder::conv1d(const std::string& name, const Value& x, const ConvOptions& options) {
  net::Conv conv = own_one(options);
  conv.padding = {0, 0, options.padding, options.padding};
  return impl_->builder.conv1d(name, x, conv);
}

Value NetworkBuilder::batch_norm(const std::string& name, const Value& x) { return impl_->builder.batch_norm(name, x); }
Value NetworkBuilder::relu(const std::string& name, const Value& x) { return impl_->builder.relu(name, x); }

Value NetworkBuilder::max_pool2d(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  return impl_->builder.max_pool2d(name, x, kernel, stride, net::same_padding(padding));
}

Value NetworkBuilder::avg_pool2d(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  return impl_->builder.avg_pool2d(name, x, kernel, stride, net::same_padding(padding));
}

Value NetworkBuilder::linear(const std::string& name, const Value& x, std::int64_t channels) { return impl_->builder.linear(name, x, channels); }

Value NetworkBuilder::dropout(const std::string& name, const Value& x, double probability) {
  return impl_->builder.dropout(name, x, probability);
}

Value NetworkBuilder::weighted_sum(const std::string& name, const std::vector<Value>& xs, const std::vector<double>& weights, bool trainable) {
  return impl_->builder.weighted_sum(name, xs, weights, trainable);
}

Value NetworkBuilder::apply(std::string_view operation, const std::string& name, const std::vector<Value>& xs) {
  return impl_->builder.apply(operation_named(operation), name, xs);
}

std::array<Value, 5> NetworkBuilder::backbone(const std::string& prefix, const Value& x, std::string_view network, double width) {
  const auto backbone = net::make_backbone({value_named<net::BackboneKind>("backbone", network), width, net::PaddingKind::kTorch});
  std::array<Value, 5> stages;
  Value value = x;
  for (int stage = 1; stage <= net::Backbone::kStages; ++stage) {
    value = backbone->stage(impl_->builder, prefix, stage, value);
    impl_->builder.stage(prefix + "stage" + std::to_string(stage), value);
    stages[static_cast<std::size_t>(stage - 1)] = value;
  }
  return stages;
}

void NetworkBuilder::head(const std::string& name, const Value& x, std::string_view loss) { impl_->builder.head(name, x, value_named<net::HeadLoss>("loss", loss)); }

void NetworkBuilder::stage(const std::string& name, const Value& x) { impl_->builder.stage(name, x); }

Shape NetworkBuilder::shape_of(const Value& x) const { return impl_->builder.shape_of(x); }

Network NetworkBuilder::finish(const Value& scores, const Value& output) {
  return Network(std::make_shared<const Network::Impl>(impl_->builder.finish(scores, output), impl_->inputs));
}

}  // namespace actio
