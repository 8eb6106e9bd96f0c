#include "runtime/arena.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/rng.h"

namespace actio::runtime {
namespace {

TEST(Arena, values_that_live_at_the_same_time_never_overlap) {
  Rng rng(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> values(static_cast<std::size_t>(rng.below(40)));
    for (Lifetime& value : values) {
      value.first = static_cast<std::size_t>(rng.below(30));
      value.last = value.first + static_cast<std::size_t>(rng.below(6));
      value.bytes = static_cast<std::size_t>(rng.below(5000));
    }
    const ArenaPlan plan = plan_arena(values, 64);
    std::size_t sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0U);
      EXPECT_LE(plan.offsets[i] + values[i].bytes, plan.bytes);
      sum += values[i].bytes + 63;
      for (std::size_t k = 0; k < i; ++k) {
        if (values[i].last < values[k].first || values[k].last < values[i].first) continue;
        EXPECT_TRUE(plan.offsets[i] + values[i].bytes <= plan.offsets[k] ||
                    plan.offsets[k] + values[k].bytes <= plan.offsets[i] || values[i].bytes == 0 || values[k].bytes == 0);
      }
    }
    EXPECT_LE(plan.bytes, sum);
  }
}

TEST(Arena, a_chain_needs_only_its_two_neighbours) {
  std::vector<Lifetime> chain;
  for (std::size_t i = 0; i < 20; ++i) chain.push_back({1024, i, i + 1});
  EXPECT_EQ(plan_arena(chain, 64).bytes, 2048U);
}

TEST(Arena, of_nothing_is_empty) { EXPECT_EQ(plan_arena({}, 64).bytes, 0U); }

}  // namespace
}  // namespace actio::runtime
