// Whole networks on both backends: results, the streaming property, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "fixture.h"
#include "nets.h"
#include "runtime/backends.h"
#include "runtime/compile.h"
#include "support/compare.h"

namespace actio::testing {
namespace {

using ::testing::HasSubstr;

struct Subject {
  std::string name;
  net::NetSpec (*make)(std::int64_t segments);
};

std::unique_ptr<net::Classifier> compiled(const net::NetSpec& spec, const std::string& backend, std::uint64_t seed = 3) {
  return runtime::compile(spec, random_weights(net::parameters(spec), seed), {backend, 2});
}

TensorMap rows(const TensorMap& values, std::int64_t begin, std::int64_t count) {
  TensorMap slices;
  for (const auto& [name, tensor] : values) slices[name] = tensor.rows(begin, count);
  return slices;
}

::testing::AssertionResult same(const TensorMap& actual, const TensorMap& expected, double relative) {
  if (actual.size() != expected.size())
    return ::testing::AssertionFailure() << actual.size() << " values, expected " << expected.size();
  for (const auto& [name, tensor] : expected) {
    if (!actual.contains(name)) return ::testing::AssertionFailure() << "no value '" << name << "'";
    const auto result = close(actual.at(name), tensor, relative);
    if (!result) return ::testing::AssertionFailure() << name << ": " << result.message();
  }
  return ::testing::AssertionSuccess();
}

// Joins single rows in time order.
TensorMap joined(const std::vector<TensorMap>& parts) {
  TensorMap all;
  for (const auto& [name, first] : parts.at(0)) {
    Shape shape = first.shape();
    shape[0] = static_cast<std::int64_t>(parts.size());
    Tensor& tensor = all[name] = Tensor(shape);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      Tensor row = tensor.rows(static_cast<std::int64_t>(i), 1);
      std::ranges::copy(parts[i].at(name).values<float>(), row.values<float>().begin());
    }
  }
  return all;
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class Networks : public ::testing::TestWithParam<Subject> {};

INSTANTIATE_TEST_SUITE_P(, Networks,
                         ::testing::Values(Subject{"tsn", small_tsn}, Subject{"if_ttn", small_if_ttn},
                                           Subject{"stfn", small_stfn}),
                         [](const auto& test) { return test.param.name; });

TEST_P(Networks, give_the_results_of_the_reference_in_every_backend) {
  const net::NetSpec spec = GetParam().make(3);
  for (const std::int64_t clips : {1, 2, 7}) {
    const TensorMap inputs = random_inputs(spec, clips * 3, 5);
    const TensorMap expected = compiled(spec, "reference")->run(inputs);
    EXPECT_TRUE(expected.contains(spec.scores));
    EXPECT_TRUE(expected.contains(spec.output));
    for (const net::Head& head : spec.heads) EXPECT_TRUE(expected.contains(head.node));
    EXPECT_EQ(expected.at(spec.output).dim(0), clips);
    for (const std::string& backend : fast_backends()) EXPECT_TRUE(same(compiled(spec, backend)->run(inputs), expected, 1e-5)) << backend << " " << clips;
  }
}

TEST_P(Networks, clips_of_a_batch_do_not_influence_each_other) {
  const net::NetSpec spec = GetParam().make(3);
  const TensorMap inputs = random_inputs(spec, 4 * 3, 6);
  for (const std::string& backend : runtime::backend_names()) {
    const auto classifier = compiled(spec, backend);
    const TensorMap all = classifier->run(inputs);
    for (std::int64_t clip = 0; clip < 4; ++clip) {
      EXPECT_TRUE(same(classifier->run(rows(inputs, clip * 3, 3)), rows(all, clip, 1), 1e-5)) << backend << " clip " << clip;
    }
  }
}

TEST_P(Networks, a_stream_gives_the_result_of_every_window_that_slides_by_one) {
  constexpr std::int64_t kSegments = 4, kFrames = 9;
  const net::NetSpec spec = GetParam().make(kSegments);
  const TensorMap frames = random_inputs(spec, kFrames, 7);
  for (const std::string& backend : runtime::backend_names()) {
    const auto stream = compiled(spec, backend), offline = compiled(spec, backend);
    std::vector<TensorMap> snippets, pairs;
    for (std::int64_t frame = 0; frame < kFrames; ++frame) {
      snippets.push_back(stream->run_snippets(rows(frames, frame, 1)));
      if (frame > 0) pairs.push_back(stream->run_pairs(snippets[snippets.size() - 2], snippets.back()));
      if (frame + 1 < kSegments) continue;
      const auto first = static_cast<std::ptrdiff_t>(frame + 1 - kSegments);
      const TensorMap streamed =
          stream->run_clip(joined({snippets.begin() + first, snippets.end()}), joined({pairs.begin() + first, pairs.end()}));
      EXPECT_TRUE(same(streamed, offline->run(rows(frames, first, kSegments)), 0)) << backend << " window " << first;
    }
  }
}

TEST_P(Networks, snippets_and_pairs_come_out_the_same_one_by_one_and_together) {
  const net::NetSpec spec = GetParam().make(3);
  const TensorMap frames = random_inputs(spec, 6, 8);
  for (const std::string& backend : runtime::backend_names()) {
    const auto classifier = compiled(spec, backend);
    const TensorMap all = classifier->run_snippets(frames);
    const TensorMap pairs = classifier->run_pairs(rows(all, 0, 5), rows(all, 1, 5));
    for (std::int64_t i = 0; i < 6; ++i)
      EXPECT_TRUE(same(classifier->run_snippets(rows(frames, i, 1)), rows(all, i, 1), 1e-5));
    for (std::int64_t i = 0; i < 5; ++i) {
      EXPECT_TRUE(same(classifier->run_pairs(rows(all, i, 1), rows(all, i + 1, 1)), rows(pairs, i, 1), 1e-5));
    }
  }
}

TEST_P(Networks, values_of_a_snippet_survive_a_reused_input_buffer) {
  const net::NetSpec spec = GetParam().make(2);
  for (const std::string& backend : runtime::backend_names()) {
    const auto classifier = compiled(spec, backend);
    TensorMap buffer = random_inputs(spec, 1, 9);
    const TensorMap values = classifier->run_snippets(buffer);
    TensorMap kept;
    for (const auto& [name, tensor] : values) kept[name] = tensor.clone();
    for (auto& [name, tensor] : buffer) std::ranges::fill(tensor.values<float>(), 99.0F);
    classifier->run_snippets(buffer);
    EXPECT_TRUE(same(values, kept, 0)) << backend;
  }
}

TEST_P(Networks, one_and_several_threads_agree) {
  const net::NetSpec spec = GetParam().make(3);
  const TensorMap weights = random_weights(net::parameters(spec), 3), inputs = random_inputs(spec, 6, 5);
  for (const std::string& backend : fast_backends()) {
    const TensorMap expected = runtime::compile(spec, weights, {backend, 1})->run(inputs);
    for (const std::int64_t threads : {0, 3, 8}) {
      EXPECT_TRUE(same(runtime::compile(spec, weights, {backend, threads})->run(inputs), expected, 1e-5)) << backend << " " << threads;
    }
  }
}

TEST(Network, of_one_segment) {
  const net::NetSpec spec = small_tsn(1);
  const TensorMap inputs = random_inputs(spec, 1, 5);
  for (const std::string& backend : runtime::backend_names()) {
    const auto classifier = compiled(spec, backend);
    EXPECT_TRUE(same(classifier->run_clip(classifier->run_snippets(inputs), {}), classifier->run(inputs), 0));
  }
}

TEST(Network, that_only_averages_its_input) {
  net::Builder b("net", 2);
  const net::Value mean = b.apply(net::Op::kSegmentMean, "mean", {b.input("x", {2})});
  const net::NetSpec spec = b.finish(b.dropout("scores", mean, 0.5), mean);
  for (const std::string& backend : runtime::backend_names()) {
    const TensorMap results = compiled(spec, backend)->run({{"x", Tensor::of({2, 2}, std::vector<float>{1, 2, 3, 6})}});
    EXPECT_TRUE(close(results.at("scores"), Tensor::of({1, 2}, std::vector<float>{2, 4}), 0));
    EXPECT_TRUE(close(results.at("mean"), Tensor::of({1, 2}, std::vector<float>{2, 4}), 0));
  }
}

TEST(Network, refuses_inputs_of_the_wrong_shape_type_or_name) {
  const net::NetSpec spec = small_if_ttn(3);
  const auto classifier = compiled(spec, "onednn");
  const TensorMap good = random_inputs(spec, 3, 1);
  const auto with = [&](const std::string& name, const Tensor& tensor) {
    TensorMap inputs = good;
    inputs[name] = tensor;
    return error_of([&] { classifier->run(inputs); });
  };
  EXPECT_EQ(with("rgb", Tensor({3, 3, 16, 15})), "input 'rgb': expected [N*3, 3, 16, 16], got [3, 3, 16, 15]");
  EXPECT_EQ(with("rgb", Tensor({3, 3, 256})), "input 'rgb': expected [N*3, 3, 16, 16], got [3, 3, 256]");
  EXPECT_EQ(with("rgb", Tensor({4, 3, 16, 16})), "input 'rgb': expected [N*3, 3, 16, 16], got [4, 3, 16, 16]");
  EXPECT_EQ(with("rgb", Tensor({0, 3, 16, 16})), "input 'rgb': expected [N*3, 3, 16, 16], got [0, 3, 16, 16]");
  EXPECT_EQ(with("motion", Tensor({3, 4, 16, 15})), "input 'motion': expected [3, 4, 16, 16], got [3, 4, 16, 15]");
  EXPECT_EQ(with("rgb", Tensor({6, 3, 16, 16})), "input 'motion': expected [6, 4, 16, 16], got [3, 4, 16, 16]");
  EXPECT_EQ(with("rgb", Tensor({3, 3, 16, 16}, DType::kU8)), "input 'rgb': expected f32, got u8");
  EXPECT_EQ(with("rgb", Tensor()), "input 'rgb' [N*3, 3, 16, 16] is missing; given: motion, rgb");
  EXPECT_EQ(error_of([&] { classifier->run({}); }), "input 'rgb' [N*3, 3, 16, 16] is missing; given: nothing");
  EXPECT_EQ(error_of([&] {
              classifier->run({{"flow", Tensor({3, 4, 16, 16})}, {"rgb", good.at("rgb")}});
            }),
            "input 'motion' [3, 4, 16, 16] is missing; given: flow, rgb");
}

TEST(Network, refuses_stream_values_that_do_not_make_a_clip) {
  const net::NetSpec spec = small_if_ttn(3);
  const auto classifier = compiled(spec, "onednn");
  const TensorMap snippets = classifier->run_snippets(random_inputs(spec, 3, 1));
  const TensorMap pairs = classifier->run_pairs(rows(snippets, 0, 2), rows(snippets, 1, 2));
  EXPECT_THAT(error_of([&] { classifier->run_pairs(rows(snippets, 0, 1), rows(snippets, 1, 2)); }),
              HasSubstr("got 1 and 2"));
  EXPECT_THAT(error_of([&] { classifier->run_pairs({}, rows(snippets, 1, 2)); }),
              HasSubstr("'ifm1.sum' [N, 16, 16, 16] is missing"));
  EXPECT_THAT(error_of([&] { classifier->run_clip(rows(snippets, 0, 2), pairs); }),
              HasSubstr("expected [N*3, 6], got [2, 6]"));
  EXPECT_THAT(error_of([&] { classifier->run_clip(snippets, rows(pairs, 0, 1)); }),
              HasSubstr("expected [N*2, 6], got [1, 6]"));
  EXPECT_THAT(error_of([&] { classifier->run_clip(snippets, {}); }), HasSubstr("'ttn.fc' [N*2, 6] is missing"));
  const TensorMap twice = classifier->run_snippets(random_inputs(spec, 6, 1));
  EXPECT_THAT(error_of([&] { classifier->run_clip(twice, pairs); }), HasSubstr("a clip has 3 snippets, got 6 rows"));
}

TEST(Compile, refuses_weights_that_are_missing_or_wrong) {
  const net::NetSpec spec = small_tsn(2);
  const TensorMap good = random_weights(net::parameters(spec), 1);
  const auto with = [&](const std::string& name, const Tensor& tensor) {
    TensorMap weights = good;
    weights[name] = tensor;
    return error_of([&] { runtime::compile(spec, weights); });
  };
  EXPECT_EQ(with("conv2.weight", {}), "the weights lack 'conv2.weight' [12, 12, 3, 3]");
  EXPECT_EQ(with("fc.bias", Tensor({6})), "fc.bias: expected shape [5], got [6]");
  EXPECT_EQ(with("fc.bias", Tensor({5}, DType::kF64)), "fc.bias: expected f32, got f64");
  Tensor variance = good.at("bn1.running_var").clone();
  variance.data<float>()[3] = -1;
  EXPECT_THAT(with("bn1.running_var", variance), HasSubstr("bn1.running_var: variance -1"));
}

TEST(Compile, refuses_unknown_backends_and_thread_counts) {
  const net::NetSpec spec = small_tsn(2);
  const TensorMap weights = random_weights(net::parameters(spec), 1);
  EXPECT_THAT(error_of([&] {
                runtime::compile(spec, weights, {"onedn", 0});
              }),
              HasSubstr("unknown backend 'onedn'; the nearest is 'onednn'"));
  EXPECT_THAT(error_of([&] { runtime::compile(spec, weights, {"onednn", -1}); }), HasSubstr("got -1"));
}

TEST(Compile, refuses_a_network_that_is_broken_or_too_large) {
  net::NetSpec spec = small_tsn(2);
  const TensorMap weights = random_weights(net::parameters(spec), 1);
  net::NetSpec broken = spec;
  broken.nodes[1].inputs = {"nowhere"};
  EXPECT_THAT(error_of([&] { runtime::compile(broken, weights); }), HasSubstr("nowhere"));
  spec.nodes[1].attrs.padding = net::same_padding(1 << 19);
  EXPECT_THAT(error_of([&] { runtime::compile(spec, weights); }), HasSubstr("too large"));
}

}  // namespace
}  // namespace actio::testing
