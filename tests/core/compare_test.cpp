#include "support/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace actio::testing {
namespace {

Tensor row(std::vector<float> values) {
  return Tensor::of({static_cast<std::int64_t>(values.size())}, values);
}

TEST(Comparator, accepts_equal_values_and_values_within_the_tolerance) {
  EXPECT_TRUE(close(row({1, -2, 3}), row({1, -2, 3}), 0));
  EXPECT_TRUE(close(row({1.00002F, -2, 3}), row({1, -2, 3}), 1e-5));
}

TEST(Comparator, rejects_a_value_just_outside_of_the_tolerance) {
  EXPECT_FALSE(close(row({1.00005F, -2, 3}), row({1, -2, 3}), 1e-5));
}

TEST(Comparator, rejects_a_flipped_sign) { EXPECT_FALSE(close(row({1, 2}), row({1, -2}), 1e-3)); }

TEST(Comparator, rejects_nan_and_infinity_on_either_side_and_on_both) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, inf, -inf}) {
    EXPECT_FALSE(close(row({bad}), row({1}), 1e9));
    EXPECT_FALSE(close(row({1}), row({bad}), 1e9));
    EXPECT_FALSE(close(row({bad}), row({bad}), 1e9));
    EXPECT_EQ(range_error(row({bad, 0}), row({1, 0})), HUGE_VAL);
    EXPECT_EQ(range_error(row({1, 0}), row({bad, 0})), HUGE_VAL);
  }
}

TEST(Comparator, rejects_another_shape_and_undefined_tensors) {
  EXPECT_FALSE(close(Tensor({2, 3}), Tensor({3, 2}), 1));
  EXPECT_FALSE(close(Tensor(), Tensor({1}), 1));
}

TEST(Comparator, rejects_any_difference_from_an_all_zero_expectation) {
  EXPECT_TRUE(close(row({0, 0}), row({0, 0}), 1e-3));
  EXPECT_FALSE(close(row({1e-20F, 0}), row({0, 0}), 1e-3));
}

TEST(Comparator, states_range_error_as_a_share_of_the_expected_range) {
  EXPECT_NEAR(range_error(row({0, 1.1F, 10}), row({0, 1, 10})), 0.01, 1e-6);
  EXPECT_EQ(range_error(row({3, 3}), row({3, 3})), 0);
  EXPECT_EQ(range_error(row({3, 4}), row({3, 3})), HUGE_VAL);
}

}  // namespace
}  // namespace actio::testing
