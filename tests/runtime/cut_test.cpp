#include "runtime/cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "nets.h"

namespace actio::testing {
namespace {

using net::Granularity;
using net::Op;
using runtime::Cut;
using runtime::Port;
using runtime::Subgraph;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> names(const std::vector<Port>& ports) {
  std::vector<std::string> all;
  for (const Port& port : ports) all.push_back(port.name);
  return all;
}

std::vector<std::string> names(const std::vector<net::Node>& nodes) {
  std::vector<std::string> all;
  for (const net::Node& node : nodes) all.push_back(node.name);
  return all;
}

TEST(Cut, a_mean_of_scores_separates_snippets_from_the_clip) {
  const Cut parts = runtime::cut(small_tsn(3));
  EXPECT_THAT(names(parts.snippet.inputs), ElementsAre("rgb"));
  EXPECT_THAT(names(parts.snippet.nodes), ElementsAre("conv1", "bn1", "relu1", "conv2", "add", "relu2", "pool", "fc"));
  EXPECT_THAT(names(parts.snippet.outputs), ElementsAre("fc"));
  EXPECT_EQ(parts.snippet.nodes.back().inputs, std::vector<std::string>{"pool"});  // the dropout is gone
  EXPECT_THAT(parts.pair.inputs, IsEmpty());
  EXPECT_THAT(names(parts.clip.inputs), ElementsAre("consensus"));
  EXPECT_THAT(names(parts.clip.nodes), ElementsAre("output"));
  EXPECT_THAT(names(parts.clip.outputs), UnorderedElementsAre("consensus", "output"));
  ASSERT_EQ(parts.ops.size(), 1U);
  EXPECT_EQ(parts.ops[0].op, Op::kSegmentMean);
  EXPECT_EQ(parts.ops[0].input, "fc");
  EXPECT_EQ(parts.ops[0].from, Granularity::kSnippet);
  EXPECT_EQ(parts.ops[0].to, Granularity::kClip);
}

TEST(Cut, differences_at_two_depths_become_inputs_of_the_pairs) {
  const Cut parts = runtime::cut(small_if_ttn(4));
  EXPECT_THAT(names(parts.snippet.inputs), ElementsAre("rgb", "motion"));
  EXPECT_THAT(names(parts.snippet.outputs), UnorderedElementsAre("ifm1.sum", "ifm2.sum", "rgb.fc", "motion.fc"));
  EXPECT_THAT(names(parts.pair.inputs), ElementsAre("diff1", "diff2"));
  EXPECT_EQ(parts.pair.inputs[1].shape, (Shape{20, 8, 8}));
  EXPECT_THAT(names(parts.pair.outputs), ElementsAre("ttn.fc"));
  EXPECT_THAT(names(parts.clip.inputs), UnorderedElementsAre("rgb.consensus", "motion.consensus", "ttn.consensus"));
  EXPECT_EQ(parts.ops.size(), 5U);
}

TEST(Cut, sequences_become_inputs_of_the_clip) {
  const Cut parts = runtime::cut(small_stfn(5));
  EXPECT_THAT(names(parts.snippet.outputs), ElementsAre("rgb.pool", "motion.pool"));
  EXPECT_THAT(names(parts.clip.inputs), ElementsAre("rgb.stack", "motion.stack"));
  EXPECT_EQ(parts.clip.inputs[0].shape, (Shape{16, 5}));
  EXPECT_THAT(names(parts.clip.outputs), ElementsAre("output"));
}

TEST(Cut, drops_what_nothing_needs) {
  net::Builder b("net", 2);
  const net::Value x = b.input("rgb", {4}), unused = b.input("unused", {4});
  b.relu("dead", b.apply(Op::kAdd, "dead_sum", {x, unused}));
  b.apply(Op::kSegmentDiff, "dead_diff", {x});
  const net::Value scores = b.apply(Op::kSegmentMean, "mean", {x});
  const Cut parts = runtime::cut(b.finish(scores, scores));
  EXPECT_THAT(names(parts.snippet.inputs), ElementsAre("rgb"));
  EXPECT_THAT(parts.snippet.nodes, IsEmpty());
  EXPECT_THAT(names(parts.snippet.outputs), ElementsAre("rgb"));
  EXPECT_THAT(parts.pair.inputs, IsEmpty());
  EXPECT_EQ(parts.ops.size(), 1U);
}

TEST(Cut, a_result_that_is_a_dropout_is_the_value_before_it) {
  net::Builder b("net", 2);
  const net::Value mean = b.apply(Op::kSegmentMean, "mean", {b.dropout("early", b.input("x", {4}), 0.5)});
  const net::Value late = b.dropout("late", mean, 0.5);
  const Cut parts = runtime::cut(b.finish(late, b.apply(Op::kSoftmax, "output", {late})));
  EXPECT_EQ(std::ranges::find(parts.results, "late", &runtime::Result::name)->value, "mean");
  EXPECT_EQ(parts.ops[0].input, "x");
  EXPECT_THAT(names(parts.clip.outputs), UnorderedElementsAre("mean", "output"));
}

TEST(Cut, what_is_kept_is_an_output_of_the_piece_that_computes_it) {
  const std::vector<std::string> keep = {"relu1", "dropout", "consensus", "rgb"};
  const Cut parts = runtime::cut(small_tsn(3), keep);
  EXPECT_THAT(names(parts.snippet.outputs), UnorderedElementsAre("relu1", "pool", "rgb", "fc"));
  EXPECT_THAT(names(parts.clip.outputs), UnorderedElementsAre("consensus", "output"));
  std::vector<std::string> results;
  for (const runtime::Result& result : parts.results) results.push_back(result.name);
  EXPECT_THAT(results, ElementsAre("consensus", "dropout", "output", "relu1", "rgb"));
}

TEST(Cut, what_is_kept_is_computed_even_where_no_score_needs_it) {
  net::Builder b("net", 2);
  const net::Value x = b.input("x", {4});
  b.relu("side", b.apply(Op::kSegmentDiff, "diff", {x}));
  const net::Value scores = b.apply(Op::kSegmentMean, "mean", {x});
  const std::vector<std::string> keep = {"side"};
  const Cut parts = runtime::cut(b.finish(scores, scores), keep);
  EXPECT_THAT(names(parts.pair.nodes), ElementsAre("side"));
  EXPECT_THAT(names(parts.pair.outputs), ElementsAre("side"));
}

TEST(Cut, differences_can_be_averaged_at_once) {
  net::Builder b("net", 3);
  const net::Value diff = b.apply(Op::kSegmentDiff, "diff", {b.input("x", {4})});
  const net::Value scores = b.apply(Op::kSegmentMean, "mean", {diff});
  const Cut parts = runtime::cut(b.finish(scores, scores));
  EXPECT_THAT(names(parts.pair.inputs), ElementsAre("diff"));
  EXPECT_THAT(names(parts.pair.outputs), ElementsAre("diff"));
  EXPECT_THAT(parts.pair.nodes, IsEmpty());
}

}  // namespace
}  // namespace actio::testing
