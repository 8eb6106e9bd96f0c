#include "runtime/compiled_network.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "runtime/assign_types.h"
#include "runtime/backends.h"
#include "runtime/network_plans.h"
#include "runtime/pages.h"
#include "runtime/session.h"

namespace actio::runtime {
namespace {

RuntimeAttributes attributes_of(const NetworkPlans& plans, const std::string& backend, std::span<const std::string> keep) {
  const auto at_once = [&](net::Granularity granularity) { return plans.piece(granularity).sizes().front(); };
  RuntimeAttributes attributes;
  attributes.backend = backend;
  attributes.precision = plans.backend->precision();
  attributes.ops = plans.backend->records();
  attributes.threads = plans.backend->threads();
  attributes.snippets_at_once = at_once(net::Granularity::kSnippet);
  attributes.pairs_at_once = at_once(net::Granularity::kPair);
  attributes.clips_at_once = at_once(net::Granularity::kClip);
  attributes.weight_bytes = plans.backend->weight_bytes();
  attributes.session_bytes = Session::bytes_of(plans);
  for (const net::Head& head : plans.spec.heads) {
    if (!head.training_only) attributes.heads.push_back(head.name);
  }
  for (const Result& result : plans.parts.results) {
    if (std::ranges::find(keep, result.name) != keep.end())
      attributes.kept.push_back({result.name, result.granularity, result.shape});
  }
  return attributes;
}

}  // namespace

std::vector<StepTime> CompiledNetwork::time_steps(int repeats) const {
  const Block memory = allocate_block(plans_->memory_bytes());
  std::vector<StepTime> all;
  for (const net::Granularity each : kGranularities) {
    const PiecePlans& piece = plans_->piece(each);
    if (piece.empty()) continue;
    const std::int64_t rows = piece.sizes().front();
    std::vector<Tensor> values;
    const auto ones = [&](const Port& port) {
      Tensor& value = values.emplace_back(Shape{rows * shape_numel(port.shape)});
      std::ranges::fill(value.values<float>(), 1.0F);
      return value.data<float>();
    };
    std::vector<const float*> inputs;
    std::vector<float*> outputs;
    for (const Port& port : piece.graph().inputs) inputs.push_back(ones(port));
    for (const Port& port : piece.graph().outputs) outputs.push_back(ones(port));
    const double calls = static_cast<double>(net::row_count(each, 1, plans_->spec.segments)) / static_cast<double>(rows);
    for (StepTime& step : piece.plan(0).executor(memory.get())->time_steps(inputs, outputs, repeats)) {
      step.seconds *= calls;
      all.push_back(std::move(step));
    }
  }
  return all;
}

std::vector<std::string> values_to_measure(const net::NetSpec& spec) {
  const Cut parts = cut(spec);
  std::set<std::string> values;
  for (const net::Granularity each : kGranularities) {
    for (std::string& value : values_to_measure(fuse(parts.piece(each)))) values.insert(std::move(value));
  }
  return {values.begin(), values.end()};
}

std::shared_ptr<const CompiledNetwork> CompiledNetwork::compile(net::NetSpec spec, TensorMap weights,
                                                                const RunOptions& options,
                                                                std::span<const std::string> keep, const net::Ranges& ranges) {
  options.check();
  const Precision precision = options.precision == Precision::kAuto ? Precision::kF32 : options.precision;
  if (options.precision == Precision::kInt8 && ranges.empty()) {
    fail_usage("{}: precision int8 needs ranges of its values", spec.name);
  }
  auto backend = make_backend(options.backend, options.threads, {precision, ranges, options.narrow_weights}, options.device);
  const auto plans = make_network_plans(std::move(spec), std::move(weights), std::move(backend), keep);
  const std::shared_ptr<CompiledNetwork> made(new CompiledNetwork(plans));
  made->attributes_ = attributes_of(*plans, options.backend, keep);
  return made;
}

const net::NetSpec& CompiledNetwork::spec() const { return plans_->spec; }

std::unique_ptr<net::Classifier> CompiledNetwork::session() const { return std::make_unique<Session>(plans_); }

}  // namespace actio::runtime
