#include "runtime/batch_sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace actio::testing {
namespace {

using runtime::batch_sizes;
using ::testing::ElementsAre;

TEST(BatchSizes, are_the_best_one_the_rest_of_a_clip_and_one) {
  EXPECT_THAT(batch_sizes(1, 7), ElementsAre(1));
  EXPECT_THAT(batch_sizes(4, 7), ElementsAre(4, 3, 1));
  EXPECT_THAT(batch_sizes(16, 7), ElementsAre(16, 7, 1));
  EXPECT_THAT(batch_sizes(2, 7), ElementsAre(2, 1));
  EXPECT_THAT(batch_sizes(7, 7), ElementsAre(7, 1));
  EXPECT_THAT(batch_sizes(4, 0), ElementsAre(4, 1));
}

TEST(BatchSizes, are_few_and_fall_so_that_any_number_of_rows_can_be_split) {
  for (std::int64_t at_once = 1; at_once <= 16; ++at_once) {
    for (std::int64_t per_clip = 0; per_clip <= 25; ++per_clip) {
      const auto sizes = batch_sizes(at_once, per_clip);
      EXPECT_LE(sizes.size(), 3U);
      EXPECT_EQ(sizes.front(), at_once);
      EXPECT_EQ(sizes.back(), 1);
      for (std::size_t i = 1; i < sizes.size(); ++i) EXPECT_LT(sizes[i], sizes[i - 1]) << at_once << " " << per_clip;
    }
  }
}

}  // namespace
}  // namespace actio::testing
