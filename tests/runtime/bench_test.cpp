#include "runtime/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "fixture.h"
#include "net/initialise.h"
#include "nets.h"
#include "runtime/compiled_network.h"
#include "runtime/onednn_compat.h"
#include "runtime/timing.h"
#include "small_zoo.h"

namespace actio::runtime {
namespace {

using ::testing::HasSubstr;

class Benching : public ::testing::Test {
 protected:
  BenchOutcome run(std::vector<RunOptions> settings) { return bench(spec_, weights_, {}, {std::move(settings), {}, 0.01, true}); }

  net::NetSpec spec_ = testing::small_if_ttn(3);
  TensorMap weights_ = testing::random_weights(net::parameters(spec_), 3);
};

TEST_F(Benching, verifies_times_in_turn_and_says_what_primitives_take) {
  const BenchOutcome outcome = run({{"onednn", 1, Precision::kF32}, {"onednn", 1, Precision::kBf16}});
  ASSERT_EQ(outcome.rows.size(), 2U);
  for (const BenchRow& row : outcome.rows) {
    EXPECT_LE(row.error, allowed_error(row.precision));
    EXPECT_GT(row.clip.median, 0);
    EXPECT_LE(row.clip.low, row.clip.median);
    EXPECT_LE(row.clip.median, row.clip.high);
    EXPECT_GT(row.bare_seconds, 0);
    EXPECT_EQ(row.kinds.at("convolution"), row.bare_seconds);
    EXPECT_GT(row.gflops, 0);
    EXPECT_TRUE(row.results.contains(spec_.scores));
  }
  EXPECT_EQ(outcome.rows[0].speed.median, 1);
  EXPECT_GT(outcome.rows[0].error, 0) << "the reference sums in another order";
  EXPECT_THAT(text_of(outcome), HasSubstr("convolutions by themselves take"));
  EXPECT_EQ(to_json(outcome).at("settings").size(), 2U);
}

TEST_F(Benching, computes_8_bits_of_a_model_that_was_not_measured_with_the_ranges_of_its_own_inputs) {
  const BenchOutcome outcome = run({{"onednn", 1, Precision::kInt8}});
  EXPECT_EQ(outcome.rows[0].precision, Precision::kInt8);
  EXPECT_GT(outcome.rows[0].error, 1e-4);
}

TEST_F(Benching, counts_depthwise_kernels_among_convolutions) {
  if (quick_types().width == 0) GTEST_SKIP() << "oneDNN has SSE4.1 alone on this processor, or is held to it, where the own kernels are not taken";
  spec_ = testing::small_network(net::NetworkKind::kTsn, net::BackboneKind::kMobilenetV2);
  weights_ = testing::random_weights(net::parameters(spec_), 3);
  const BenchOutcome outcome = bench(spec_, weights_, {}, {{{"onednn", 1, Precision::kInt8}}, {}, 0.01, false});
  const auto& kinds = outcome.rows[0].kinds;
  EXPECT_GT(kinds.at("depthwise convolution"), 0);
  EXPECT_NEAR(outcome.rows[0].bare_seconds, kinds.at("convolution") + kinds.at("depthwise convolution"), 1e-9);
}

TEST_F(Benching, times_nothing_where_scores_are_wrong) {
  net::Quantization wrong;
  for (const std::string& value : values_to_measure(spec_)) wrong.ranges[value] = {-1e-6F, 1e-6F, {}};
  try {
    bench(spec_, weights_, wrong, {{{"onednn", 1, Precision::kInt8}}, testing::random_inputs(spec_, 3, 7), 0.01, true});
    FAIL() << "a network that cuts all its values off was timed";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("nothing was timed"));
  }
}

TEST(Quantile, is_the_value_at_a_share_of_the_order) {
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile({3, 1, 2}, 0), 1);
  EXPECT_EQ(quantile({3, 1, 2}, 1), 3);
  EXPECT_EQ(quantile({5}, 0.25), 5);
}

}  // namespace
}  // namespace actio::runtime
