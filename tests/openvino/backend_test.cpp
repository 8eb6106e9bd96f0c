// What is OpenVINO's alone; that it computes what the others compute is in tests/runtime, whose tests run every backend of a build.
#include "openvino/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/error.h"
#include "core/rng.h"
#include "net/builder.h"
#include "net/infer.h"
#include "openvino/lower.h"
#include "openvino/pool_window.h"
#include "runtime/backends.h"
#include "runtime/compiled_network.h"

namespace actio::openvino {
namespace {

using runtime::CompiledNetwork;
using runtime::Precision;
using runtime::RunOptions;
using ::testing::HasSubstr;

net::NetSpec small_net() {
  net::Builder b("small", 2);
  const net::Value c = b.relu("relu", b.conv2d("conv", b.input("rgb", {3, 12, 12}), {.channels = 16, .kernel = 3, .padding = net::same_padding(1)}));
  const net::Value fc = b.linear("fc", b.apply(net::Op::kGlobalAvgPool, "pool", {b.conv2d("conv2", c, {.channels = 16, .kernel = 3})}), 5);
  const net::Value scores = b.apply(net::Op::kSegmentMean, "consensus", {fc});
  b.head("rgb", scores);
  return b.finish(scores, b.apply(net::Op::kSoftmax, "output", {scores}));
}

Tensor noise(const Shape& shape, std::uint64_t seed) {
  Tensor tensor(shape);
  Rng rng(seed);
  for (float& value : tensor.values<float>()) value = static_cast<float>(rng.normal());
  return tensor;
}

TensorMap weights_of(const net::NetSpec& spec) {
  TensorMap weights;
  for (const net::ParamInfo& param : net::parameters(spec)) weights[param.name] = noise(param.shape, weights.size());
  return weights;
}

std::string refusal_of(const RunOptions& options) {
  const net::NetSpec spec = small_net();
  try {
    CompiledNetwork::compile(spec, weights_of(spec), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "nothing was refused";
}

TEST(OpenvinoDevices, are_the_processor_first_and_the_choice_of_openvino_last) {
  const std::vector<std::string> all = devices();
  EXPECT_EQ(all.front(), "CPU");
  EXPECT_EQ(all.back(), "AUTO");
}

TEST(OpenvinoDevices, that_are_not_there_are_refused_by_name) {
  EXPECT_THAT(refusal_of({.backend = "openvino", .device = "TPU"}), HasSubstr("device TPU: backend openvino finds none of that name on this machine; it finds CPU"));
  EXPECT_EQ(refusal_of({.backend = "openvino", .device = "cpu"}), "nothing was refused");
}

TEST(OpenvinoDevices, auto_answers_as_the_processor_does_where_there_is_nothing_else) {
  if (devices().size() > 2) GTEST_SKIP() << "OpenVINO finds more devices than the processor here, and AUTO may choose one whose types are others";
  const net::NetSpec spec = small_net();
  const TensorMap inputs = {{"rgb", noise({2, 3, 12, 12}, 9)}};
  const auto scores = [&](const char* device) {
    return CompiledNetwork::compile(spec, weights_of(spec), {.backend = "openvino", .threads = 1, .device = device})->session()->run(inputs).at(spec.scores);
  };
  const Tensor ours = scores("AUTO"), theirs = scores("CPU");
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(ours.values<float>()[i], theirs.values<float>()[i], 1e-4);
}

TEST(OpenvinoPrecision, bf16_rounds_where_the_processor_has_it_and_says_f32_where_not) {
  const net::NetSpec spec = small_net();
  const TensorMap inputs = {{"rgb", noise({2, 3, 12, 12}, 9)}};
  const auto compiled = [&](Precision precision) {
    return CompiledNetwork::compile(spec, weights_of(spec), {.backend = "openvino", .threads = 1, .precision = precision});
  };
  const auto rounded = compiled(Precision::kBf16);
  const Tensor exact = compiled(Precision::kF32)->session()->run(inputs).at(spec.scores), other = rounded->session()->run(inputs).at(spec.scores);
  double error = 0, size = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    error += std::pow(exact.values<float>()[i] - other.values<float>()[i], 2);
    size += std::pow(exact.values<float>()[i], 2);
  }
  if (rounded->attributes().precision == Precision::kBf16) {
    EXPECT_GT(error, 0) << "nothing was rounded";
    EXPECT_LT(std::sqrt(error / size), 0.1);
  } else {
    EXPECT_EQ(rounded->attributes().precision, Precision::kF32);
    EXPECT_EQ(error, 0);
  }
}

// The levels are oneDNN's own, and products of integers are exact: what is left is what follows a sum, which one rounds from f32 and the other does not.
TEST(OpenvinoPrecision, int8_rounds_as_onednn_does) {
  const net::NetSpec spec = small_net();
  const TensorMap inputs = {{"rgb", noise({2, 3, 12, 12}, 9)}};
  const std::vector<std::string> keep = runtime::values_to_measure(spec);
  net::Ranges ranges;
  for (const auto& [name, value] : CompiledNetwork::compile(spec, weights_of(spec), {.backend = "reference"}, keep)->session()->run(inputs)) {
    const auto [low, high] = std::ranges::minmax(value.values<float>());
    ranges[name] = {low, high, {}};
  }
  const auto scores = [&](const char* backend, Precision precision) {
    const auto network = CompiledNetwork::compile(spec, weights_of(spec), {.backend = backend, .threads = 1, .precision = precision}, {}, ranges);
    EXPECT_EQ(network->attributes().precision, precision);
    return network->session()->run(inputs).at(spec.scores);
  };
  const Tensor exact = scores("reference", Precision::kF32), ours = scores("openvino", Precision::kInt8), theirs = scores("onednn", Precision::kInt8);
  const auto distance = [](const Tensor& a, const Tensor& b) {
    double sum = 0;
    for (std::size_t i = 0; i < 5; ++i) sum += std::pow(a.values<float>()[i] - b.values<float>()[i], 2);
    return std::sqrt(sum);
  };
  const double rounding = distance(theirs, exact);
  EXPECT_GT(distance(ours, exact), 0) << "nothing was rounded";
  EXPECT_LE(distance(ours, exact), 3 * rounding);
  EXPECT_LE(distance(ours, theirs), rounding);
}

TEST(OpenvinoErrors, are_one_line_without_places_in_sources) {
  EXPECT_EQ(message_of(std::runtime_error("Exception from src/core/core.cpp:107:\nCheck 'a == b' failed at src/x.cpp:3:\nWhile validating node 'c':\n  bad shape\n\n")),
            "While validating node 'c': bad shape");
  EXPECT_EQ(message_of(std::runtime_error("Exception from src/core/core.cpp:107:\n")), "no reason given");
}

TEST(OpenvinoErrors, of_an_op_that_is_refused_are_one_line) {
  // A window larger than its input, which infer() refuses before OpenVINO can.
  Graph graph;
  const auto x = graph.input({1, 3, 4, 4});
  const std::vector<float> zeros(3 * 25);
  graph.set_name("rgb.conv1");
  try {
    graph.convolution(x, graph.constant({1, 3, 5, 5}, zeros), {{5, 5}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, false);
    FAIL() << "nothing was refused";
  } catch (const std::exception& error) {
    EXPECT_THAT(message_of(error), HasSubstr("onvolution"));
    EXPECT_THAT(message_of(error), ::testing::Not(HasSubstr("\n")));
  }
}

TEST(OpenvinoPooling, pads_so_that_the_last_window_of_ceil_mode_fits) {
  net::Node node{"pool", net::Op::kMaxPool2d, {"x"}, {}};
  node.attrs.kernel = {3, 3};
  node.attrs.stride = {2, 2};
  node.attrs.ceil_mode = true;
  const PoolWindow pool = pool_window_of(node, {1, 6, 7}, {1, 3, 3});
  EXPECT_EQ(pool.window.after, (Sizes{1, 0}));
  EXPECT_TRUE(pool.extended);
  EXPECT_EQ(pool.read, (std::array<std::int64_t, 2>{6, 7}));
}

}  // namespace
}  // namespace actio::openvino
