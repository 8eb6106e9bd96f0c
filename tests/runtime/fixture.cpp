#include "fixture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "runtime/backends.h"
#include "runtime/pages.h"
#include "support/compare.h"

namespace actio::testing {

using runtime::Port;
using runtime::Subgraph;

Tensor random_tensor(const Shape& shape, Rng& rng) {
  Tensor tensor(shape);
  for (float& value : tensor.values<float>()) value = static_cast<float>(rng.normal());
  return tensor;
}

TensorMap random_weights(const std::vector<net::ParamInfo>& params, std::uint64_t seed) {
  TensorMap weights;
  Rng rng(seed, 1);
  for (const net::ParamInfo& param : params) {
    Tensor tensor = random_tensor(param.shape, rng);
    const double fan_in = static_cast<double>(shape_numel(param.shape)) / static_cast<double>(param.shape[0]);
    for (float& value : tensor.values<float>()) {
      if (param.role == net::ParamRole::kWeight)
        value *= static_cast<float>(std::sqrt(2.0 / fan_in));
      else if (param.role == net::ParamRole::kScale || param.role == net::ParamRole::kRunningVar)
        value = 0.5F + std::fabs(value);
      else
        value *= 0.3F;
    }
    weights[param.name] = tensor;
  }
  return weights;
}

TensorMap random_inputs(const std::vector<Port>& ports, std::int64_t rows, std::uint64_t seed) {
  TensorMap inputs;
  Rng rng(seed, 2);
  for (const Port& port : ports) {
    Shape shape = port.shape;
    shape.insert(shape.begin(), rows);
    inputs[port.name] = random_tensor(shape, rng);
  }
  return inputs;
}

TensorMap random_inputs(const net::NetSpec& spec, std::int64_t rows, std::uint64_t seed) {
  std::vector<Port> ports;
  for (const net::Node& candidate : spec.nodes) {
    if (candidate.op == net::Op::kInput) ports.push_back({candidate.name, candidate.attrs.shape});
  }
  return random_inputs(ports, rows, seed);
}

net::Node node(net::Op op, const std::string& name, std::vector<std::string> inputs, net::Attrs attrs) {
  return {name, op, std::move(inputs), std::move(attrs)};
}

Subgraph graph_of(std::vector<Port> inputs, std::vector<net::Node> nodes, const std::vector<std::string>& outputs) {
  Subgraph graph{std::move(inputs), std::move(nodes), {}};
  const auto values = runtime::infer_values(graph);
  for (const std::string& name : outputs) graph.outputs.push_back({name, values.at(name).shape});
  return graph;
}

std::vector<net::ParamInfo> parameters_of(const Subgraph& graph) {
  std::vector<net::ParamInfo> params;
  const auto values = runtime::infer_values(graph);
  for (const net::Node& each : graph.nodes) {
    const auto& own = values.at(each.name).params;
    params.insert(params.end(), own.begin(), own.end());
  }
  return params;
}

std::unique_ptr<runtime::Backend> make_backend(const std::string& name, std::int64_t threads) {
  return runtime::make_backend(name, threads);
}

std::vector<std::string> fast_backends() {
  std::vector<std::string> names = runtime::backend_names();
  std::erase(names, "reference");
  return names;
}

TensorMap run_graph(runtime::Backend& backend, const Subgraph& graph, const TensorMap& weights, const TensorMap& inputs,
                    std::int64_t rows) {
  TensorMap results;
  std::vector<const float*> from;
  std::vector<float*> to;
  for (const Port& port : graph.inputs) from.push_back(inputs.at(port.name).data<float>());
  for (const Port& port : graph.outputs) {
    Shape shape = port.shape;
    shape.insert(shape.begin(), rows);
    results[port.name] = Tensor(shape);
    to.push_back(results[port.name].data<float>());
  }
  const runtime::PlanRequest request{&graph, rows};
  const auto plan = std::move(backend.compile({&request, 1}, weights).front());
  const runtime::Block memory = runtime::allocate_block(plan->memory_bytes());
  plan->executor(memory.get())->run(from, to);
  return results;
}

::testing::AssertionResult backends_agree(const Subgraph& graph, std::int64_t rows, double relative, std::uint64_t seed, double size) {
  const TensorMap weights = random_weights(parameters_of(graph), seed);
  const TensorMap inputs = random_inputs(graph.inputs, rows, seed);
  const TensorMap expected = run_graph(*make_backend("reference"), graph, weights, inputs, rows);
  for (const std::string& backend : fast_backends()) {
    const TensorMap actual = run_graph(*make_backend(backend), graph, weights, inputs, rows);
    for (const auto& [name, tensor] : expected) {
      const double largest = std::abs(*std::ranges::max_element(tensor.values<float>(), {}, [](float x) { return std::abs(x); }));
      const auto result = close(actual.at(name), tensor, largest > 0 ? relative * std::max(1.0, size / largest) : relative);
      if (!result) return ::testing::AssertionFailure() << backend << ", output '" << name << "': " << result.message();
    }
  }
  return ::testing::AssertionSuccess();
}

double sum_tolerance(std::int64_t terms) {
  return 4 * std::numeric_limits<float>::epsilon() * std::sqrt(static_cast<double>(terms + 4));
}

}  // namespace actio::testing
