#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "core/rng.h"

namespace actio {
namespace {

TEST(Rng, repeats_for_a_seed_and_differs_between_streams) {
  Rng a(7), b(7), c(7, 1), d(8);
  const auto x = a.next();
  EXPECT_EQ(x, b.next());
  EXPECT_NE(x, c.next());
  EXPECT_NE(x, d.next());
}

TEST(Rng, is_pinned_so_that_seeds_in_results_stay_valid) {
  Rng rng(1);
  EXPECT_EQ(rng.next(), 3986457179768683244ULL);
}

TEST(Rng, draws_uniform_and_normal_numbers_with_the_right_moments) {
  Rng rng(3);
  double sum = 0, normal_sum = 0, normal_squares = 0;
  constexpr int kCount = 200000;
  std::set<std::int64_t> seen;
  for (int i = 0; i < kCount; ++i) {
    const double u = rng.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    const double n = rng.normal();
    ASSERT_TRUE(std::isfinite(n));
    normal_sum += n;
    normal_squares += n * n;
    seen.insert(rng.below(5));
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.005);
  EXPECT_NEAR(normal_sum / kCount, 0, 0.01);
  EXPECT_NEAR(normal_squares / kCount, 1, 0.02);
  EXPECT_EQ(seen, (std::set<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(rng.below(0), 0);
}

TEST(Rng, shuffles_without_losing_an_item) {
  Rng rng(5);
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  const std::vector<int> sorted = items;
  rng.shuffle(items);
  EXPECT_NE(items, sorted);
  std::ranges::sort(items);
  EXPECT_EQ(items, sorted);
}

}  // namespace
}  // namespace actio
