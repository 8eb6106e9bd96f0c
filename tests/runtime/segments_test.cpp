#include "runtime/segments.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/compare.h"

namespace actio::testing {
namespace {

using runtime::segment_diff;
using runtime::segment_diff_of_clips;
using runtime::segment_mean;
using runtime::segment_stack;

Tensor tensor(const Shape& shape, const std::vector<float>& values) { return Tensor::of(shape, values); }

TEST(Segments, differences_are_later_minus_earlier_and_never_cross_clips) {
  const Tensor values = tensor({6, 2}, {1, 10, 4, 30, 9, 60, 100, 0, 90, 5, 70, 7});
  EXPECT_TRUE(close(segment_diff_of_clips(values, 3), tensor({4, 2}, {3, 20, 5, 30, -10, 5, -20, 2}), 0));
  EXPECT_TRUE(close(segment_diff(values.rows(0, 2), values.rows(1, 2)), tensor({2, 2}, {3, 20, 5, 30}), 0));
}

TEST(Segments, mean_and_stack_of_each_clip) {
  const Tensor values = tensor({4, 2}, {1, 10, 3, 30, 5, 50, 6, 60});
  EXPECT_TRUE(close(segment_mean(values, 2), tensor({2, 2}, {2, 20, 5.5, 55}), 0));
  EXPECT_TRUE(close(segment_mean(values, 1), values, 0));
  EXPECT_TRUE(close(segment_stack(values, 2), tensor({2, 2, 2}, {1, 3, 10, 30, 5, 6, 50, 60}), 0));
  EXPECT_TRUE(close(segment_stack(values, 4), tensor({1, 2, 4}, {1, 3, 5, 6, 10, 30, 50, 60}), 0));
}

TEST(Segments, refuse_rows_that_do_not_fill_clips) {
  const Tensor values({5, 2});
  EXPECT_THROW(segment_mean(values, 2), Error);
  EXPECT_THROW(segment_stack(values, 0), Error);
  EXPECT_THROW(segment_diff_of_clips(values, 3), Error);
  EXPECT_THROW(segment_diff(values, Tensor({5, 3})), Error);
}

}  // namespace
}  // namespace actio::testing
