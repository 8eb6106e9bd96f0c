#include "eval/significance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace actio::eval {
namespace {

// `both` clips right in both, then some right in one alone, then some right in none.
Comparison compared(int both, int first, int second, int none, const BootstrapOptions& options = {}) {
  std::vector<bool> a, b;
  const auto add = [&](int count, bool in_a, bool in_b) {
    a.insert(a.end(), static_cast<std::size_t>(count), in_a);
    b.insert(b.end(), static_cast<std::size_t>(count), in_b);
  };
  add(both, true, true);
  add(first, true, false);
  add(second, false, true);
  add(none, false, false);
  return compare(a, b, options);
}

TEST(McNemar, is_the_two_sided_sign_test_of_the_clips_that_differ) {
  EXPECT_NEAR(mcnemar_exact(10, 2), 2.0 * (1 + 12 + 66) / 4096, 1e-14);
  EXPECT_NEAR(mcnemar_exact(2, 10), 2.0 * (1 + 12 + 66) / 4096, 1e-14);
  EXPECT_NEAR(mcnemar_exact(0, 5), 2.0 / 32, 1e-15);
  EXPECT_EQ(mcnemar_exact(0, 0), 1);
  EXPECT_EQ(mcnemar_exact(7, 7), 1);
  // Exact whole numbers: 2 * sum of 268 over k for k up to 34, over 2^268.
  EXPECT_NEAR(mcnemar_exact(234, 34) / 6.750400450102388e-38, 1, 1e-9);
}

TEST(Comparison, counts_who_is_right_alone) {
  const Comparison c = compared(50, 12, 4, 34);
  EXPECT_EQ(c.clips, 100);
  EXPECT_EQ(c.only_first, 12);
  EXPECT_EQ(c.only_second, 4);
  EXPECT_DOUBLE_EQ(c.difference, 0.08);
  EXPECT_DOUBLE_EQ(c.p_value, mcnemar_exact(12, 4));
}

TEST(Comparison, has_the_interval_of_the_normal_approximation_for_many_clips) {
  const Comparison c = compared(2500, 300, 200, 1000);
  const double n = 4000, d = 0.025, deviation = std::sqrt((500.0 / n - d * d) / n);
  EXPECT_NEAR(c.low, d - 1.96 * deviation, 0.15 * deviation);
  EXPECT_NEAR(c.high, d + 1.96 * deviation, 0.15 * deviation);
}

TEST(Comparison, repeats_with_its_seed_and_turns_round_with_its_sides) {
  const Comparison a = compared(50, 12, 4, 34), b = compared(50, 12, 4, 34);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  // Quantiles of few draws from many clips.
  const auto low_of = [](std::int64_t seed) { return compared(700, 200, 100, 1000, {.resamples = 100, .seed = seed}).low; };
  EXPECT_TRUE(low_of(2) != low_of(1) || low_of(3) != low_of(1));
  const Comparison turned = compared(50, 4, 12, 34);
  EXPECT_NEAR(turned.low, -a.high, 0.011);
  EXPECT_LT(turned.difference, 0);
}

TEST(Comparison, of_equal_models_or_no_clips_claims_nothing) {
  const Comparison same = compared(5, 0, 0, 5);
  EXPECT_EQ(same.low, 0);
  EXPECT_EQ(same.high, 0);
  EXPECT_EQ(same.p_value, 1);
  EXPECT_EQ(compared(0, 0, 0, 0).p_value, 1);
  EXPECT_THROW(compare({true}, {true, false}), Error);
}

}  // namespace
}  // namespace actio::eval
