// The numeric comparator of the tests. It fails on NaN and infinity on either side, on a different shape, and on any element
// further away than `relative` times the largest expected magnitude.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/tensor.h"

namespace actio::testing {

// Use: EXPECT_TRUE(close(actual, expected, 1e-5)). The message names the worst element and both values.
::testing::AssertionResult close(const Tensor& actual, const Tensor& expected, double relative);

// The largest |a - b| over max - min of the expected values: the measure that parity of logits is stated in.
double range_error(const Tensor& actual, const Tensor& expected);

}  // namespace actio::testing
