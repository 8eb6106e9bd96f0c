// Pieces and networks with random weights for the tests of the runtime.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/rng.h"
#include "core/tensor.h"
#include "net/builder.h"
#include "net/classifier.h"
#include "runtime/plan.h"

namespace actio::testing {

Tensor random_tensor(const Shape& shape, Rng& rng);

// What a trained layer could hold: He-scaled matrices, positive variances.
TensorMap random_weights(const std::vector<net::ParamInfo>& params, std::uint64_t seed);

// f32 [rows, ...] per port.
TensorMap random_inputs(const std::vector<runtime::Port>& ports, std::int64_t rows, std::uint64_t seed);
TensorMap random_inputs(const net::NetSpec& spec, std::int64_t rows, std::uint64_t seed);

// One node as data.
net::Node node(net::Op op, const std::string& name, std::vector<std::string> inputs, net::Attrs attrs = {});

// A piece whose output ports are `outputs`.
runtime::Subgraph graph_of(std::vector<runtime::Port> inputs, std::vector<net::Node> nodes,
                           const std::vector<std::string>& outputs);
std::vector<net::ParamInfo> parameters_of(const runtime::Subgraph& graph);

std::unique_ptr<runtime::Backend> make_backend(const std::string& name, std::int64_t threads = 2);

// All but the reference.
std::vector<std::string> fast_backends();

// Compiles and runs once.
TensorMap run_graph(runtime::Backend& backend, const runtime::Subgraph& graph, const TensorMap& weights,
                    const TensorMap& inputs, std::int64_t rows);

// Succeeds where every backend of this build gives every output as the reference does. size: that results have as a rule; a few of them may all be near zero
// by chance, and their rounding is not.
::testing::AssertionResult backends_agree(const runtime::Subgraph& graph, std::int64_t rows, double relative,
                                          std::uint64_t seed = 1, double size = 0);

// The rounding of a sum of `terms` random products in f32, relative to the largest result: a random walk of `terms` steps,
// times four for the tail of many results.
double sum_tolerance(std::int64_t terms);

}  // namespace actio::testing
