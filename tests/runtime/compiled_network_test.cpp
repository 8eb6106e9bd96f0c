// A network that is compiled once: what it says about itself, what it keeps, what it refuses.
#include "runtime/compiled_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "fixture.h"
#include "net/initialise.h"
#include "nets.h"
#include "runtime/backends.h"
#include "support/compare.h"
#include "support/zoo_variants.h"

namespace actio::testing {
namespace {

using net::Granularity;
using runtime::CompiledNetwork;
using runtime::KeptOutput;
using runtime::RunOptions;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<const CompiledNetwork> compiled(const net::NetSpec& spec, const RunOptions& options = {"onednn", 1},
                                                std::vector<std::string> keep = {}) {
  return CompiledNetwork::compile(spec, random_weights(net::parameters(spec), 3), options, keep);
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::string> nodes_of(const net::NetSpec& spec) {
  std::vector<std::string> names;
  for (const net::Node& each : spec.nodes) names.push_back(each.name);
  return names;
}

std::vector<net::NetSpec> small_nets() { return {small_tsn(3), small_if_ttn(3), small_stfn(3)}; }

TEST(CompiledNetwork, says_what_it_runs_on_and_what_that_takes) {
  const net::NetSpec spec = small_if_ttn(3);
  const auto attributes = compiled(spec, {"onednn", 8}, {"ttn.2.relu", "rgb.consensus"})->attributes();
  EXPECT_EQ(attributes.backend, "onednn");
  EXPECT_EQ(attributes.threads, 8);
  EXPECT_EQ(attributes.snippets_at_once, 4);
  EXPECT_EQ(attributes.pairs_at_once, 4);
  EXPECT_GE(attributes.clips_at_once, 1);
  EXPECT_THAT(attributes.heads, ElementsAre("rgb", "motion", "ttn"));
  ASSERT_EQ(attributes.kept.size(), 2U);
  EXPECT_EQ(attributes.kept[0].name, "rgb.consensus");
  EXPECT_EQ(attributes.kept[0].granularity, Granularity::kClip);
  EXPECT_EQ(attributes.kept[1].granularity, Granularity::kPair);
  EXPECT_EQ(attributes.kept[1].shape, (Shape{20, 8, 8}));
  EXPECT_GT(attributes.session_bytes, 0U);
}

TEST(CompiledNetwork, on_one_thread_holds_each_weight_once) {
  for (const ZooVariant& variant : ZooVariants::all()) {
    const net::NetSpec spec = variant.spec();
    std::size_t plain = 0;
    for (const net::ParamInfo& param : net::parameters(spec))
      plain += static_cast<std::size_t>(shape_numel(param.shape)) * 4;
    TensorMap weights;
    net::initialise(spec, nullptr, 7, weights);
    const auto network = CompiledNetwork::compile(spec, std::move(weights), {"onednn", 1});
    EXPECT_LT(network->attributes().weight_bytes, 2 * plain) << variant.name;  // narrow layers are padded to whole blocks
  }
}

// Beside `plain`, the results of a network that keeps nothing.
void expect_kept(const net::NetSpec& spec, const std::string& backend, const std::string& name, const TensorMap& inputs, const TensorMap& expected,
                 const TensorMap& plain) {
  SCOPED_TRACE(fmt::format("{} {} {}", backend, spec.name, name));
  const auto network = compiled(spec, {backend, 1}, {name});
  const TensorMap results = network->session()->run(inputs);
  ASSERT_EQ(network->attributes().kept.size(), 1U);
  const KeptOutput& kept = network->attributes().kept[0];
  Shape shape = kept.shape;
  shape.insert(shape.begin(), net::row_count(kept.granularity, 2, 3));
  EXPECT_EQ(results.at(name).shape(), shape);
  EXPECT_TRUE(close(results.at(name), expected.at(name), 1e-5));
  for (const auto& [result, tensor] : plain) EXPECT_TRUE(close(results.at(result), tensor, 1e-5)) << result;
  EXPECT_EQ(results.size(), plain.size() + (plain.contains(name) ? 0 : 1));
}

TEST(CompiledNetwork, keeps_any_value_in_every_backend) {
  for (const net::NetSpec& spec : small_nets()) {
    const TensorMap inputs = random_inputs(spec, 2 * 3, 5);
    const TensorMap expected = compiled(spec, {"reference", 1}, nodes_of(spec))->session()->run(inputs);
    const TensorMap plain = compiled(spec)->session()->run(inputs);
    for (const std::string& backend : fast_backends()) {
      for (const std::string& name : nodes_of(spec)) expect_kept(spec, backend, name, inputs, expected, plain);
    }
  }
}

// The value of a node follows from the values of its inputs, all of them kept: no backend is believed.
TEST(CompiledNetwork, kept_values_are_those_of_the_nodes_that_they_are_named_after) {
  const net::NetSpec spec = small_tsn(3);
  const TensorMap inputs = random_inputs(spec, 3, 5);
  for (const std::string& backend : runtime::backend_names()) {
    const TensorMap all = compiled(spec, {backend, 1}, nodes_of(spec))->session()->run(inputs);
    const auto at = [&](const char* name, std::size_t i) { return all.at(name).values<float>()[i]; };
    for (std::size_t i = 0; i < all.at("relu1").values<float>().size(); ++i) {
      ASSERT_EQ(at("relu1", i), std::max(at("bn1", i), 0.0F)) << backend;
      ASSERT_EQ(at("add", i), at("conv2", i) + at("relu1", i)) << backend;
    }
    for (std::size_t c = 0; c < 5; ++c) {
      EXPECT_NEAR(at("consensus", c), (at("fc", c) + at("fc", c + 5) + at("fc", c + 10)) / 3, 1e-6) << backend;
    }
    EXPECT_TRUE(close(all.at("dropout"), all.at("pool"), 0)) << backend;
    EXPECT_TRUE(close(all.at("rgb"), inputs.at("rgb"), 0)) << backend;
  }
}

TEST(CompiledNetwork, keeps_all_stages_of_the_zoo_by_name) {
  for (const ZooVariant& variant : ZooVariants::all()) {
    const net::NetSpec spec = variant.spec();
    if (spec.stages.empty()) continue;
    TensorMap weights;
    net::initialise(spec, nullptr, 7, weights);
    std::vector<std::string> keep;
    for (const net::Stage& stage : spec.stages) keep.push_back(stage.name);
    const TensorMap inputs = random_clips(spec, 1);
    const TensorMap expected = CompiledNetwork::compile(spec, weights, {"reference", 2}, keep)->session()->run(inputs);
    for (const std::string& backend : fast_backends()) {
      const TensorMap actual = CompiledNetwork::compile(spec, weights, {backend, 1}, keep)->session()->run(inputs);
      for (const std::string& name : keep) EXPECT_TRUE(close(actual.at(name), expected.at(name), 1e-4)) << backend << ", " << variant.name << ": " << name;
    }
  }
}

TEST(CompiledNetwork, a_stream_gets_kept_values_as_a_whole_clip_does) {
  const net::NetSpec spec = small_if_ttn(3);
  const TensorMap inputs = random_inputs(spec, 3, 5);
  for (const std::string& backend : runtime::backend_names()) {
    const auto network = compiled(spec, {backend, 1}, {"rgb.2.bn", "rgb.dropout", "ttn.2.conv", "diff2", "scores"});
    const auto session = network->session();
    const TensorMap whole = session->run(inputs), snippets = session->run_snippets(inputs);
    TensorMap earlier, later;
    for (const auto& [name, tensor] : snippets) {
      earlier[name] = tensor.rows(0, 2);
      later[name] = tensor.rows(1, 2);
    }
    const TensorMap pairs = session->run_pairs(earlier, later), clip = session->run_clip(snippets, pairs);
    for (const KeptOutput& kept : network->attributes().kept) {
      const bool of_pairs = kept.granularity == Granularity::kPair, of_clip = kept.granularity == Granularity::kClip;
      const TensorMap& streamed = of_pairs ? pairs : of_clip ? clip : snippets;
      EXPECT_TRUE(close(streamed.at(kept.name), whole.at(kept.name), 0)) << backend << " " << kept.name;
    }
    EXPECT_TRUE(close(clip.at("output"), whole.at("output"), 0)) << backend;
  }
}

TEST(CompiledNetwork, refuses_to_keep_what_is_not_there) {
  EXPECT_EQ(error_of([] {
              compiled(small_tsn(2), {"onednn", 1}, {"relu3"});
            }),
            "small_tsn: cannot keep 'relu3', which is neither a node nor a stage; the nearest is 'relu1'");
  try {
    compiled(small_tsn(2), {"reference", 1}, {"relu3"});
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
  }
}

// `count` values of 1 GiB a row that live at the same time.
net::NetSpec wide_net(std::int64_t count) {
  net::Builder b("wide", 1);
  const net::Value x = b.input("x", {1, 16384, 16384});
  std::vector<net::Value> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(b.relu(fmt::format("relu{}", i), x));
  net::Value sum = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) sum = b.apply(net::Op::kMul, fmt::format("mul{}", i), {sum, values[i]});
  const net::Value scores = b.apply(net::Op::kSegmentMean, "mean", {b.apply(net::Op::kGlobalAvgPool, "pool", {sum})});
  return b.finish(scores, scores);
}

TEST(CompiledNetwork, refuses_what_cannot_run_when_it_is_compiled_for_any_of_its_batch_sizes) {
  const auto refusal = [](std::int64_t values, std::int64_t threads) {
    return error_of([&] { CompiledNetwork::compile(wide_net(values), {}, {"onednn", threads}); });
  };
  EXPECT_THAT(refusal(70, 1), HasSubstr("the network needs"));
  EXPECT_THAT(refusal(20, 1), "no error");
  EXPECT_THAT(refusal(20, 8), HasSubstr("the network needs"));  // four rows at once
}

TEST(Backends, are_listed_by_priority_and_the_first_is_the_default) {
  ASSERT_FALSE(runtime::backends().empty());
  EXPECT_EQ(RunOptions{}.backend, runtime::backends().front().name);
  EXPECT_EQ(RunOptions{}.backend, "onednn");
  EXPECT_THAT(runtime::backend_names(), ::testing::Contains("reference"));
  for (const runtime::BackendEntry& entry : runtime::backends()) {
    EXPECT_EQ(compiled(small_tsn(2), {std::string(entry.name), 1})->attributes().backend, entry.name);
  }
}

}  // namespace
}  // namespace actio::testing
