#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include "core/bounded_queue.h"
#include "core/rng.h"

namespace actio {
namespace {

TEST(BoundedQueue, hands_every_item_to_exactly_one_consumer) {
  BoundedQueue<int> queue(4);
  std::atomic<long> sum = 0, count = 0;
  std::vector<std::jthread> consumers;
  for (int i = 0; i < 3; ++i) {
    consumers.emplace_back([&] {
      while (auto item = queue.pop()) {
        sum += *item;
        ++count;
      }
    });
  }
  {
    std::vector<std::jthread> producers;
    for (int p = 0; p < 2; ++p) {
      producers.emplace_back([&, p] {
        for (int i = 0; i < 1000; ++i) EXPECT_TRUE(queue.push(p * 1000 + i));
      });
    }
  }
  queue.close();
  consumers.clear();
  EXPECT_EQ(count, 2000);
  EXPECT_EQ(sum, 1999L * 2000 / 2);
}

TEST(BoundedQueue, never_holds_more_than_its_capacity) {
  BoundedQueue<int> queue(2);
  std::jthread producer([&] {
    for (int i = 0; i < 100; ++i) queue.push(i);
    queue.close();
  });
  int expected = 0;
  while (auto item = queue.pop()) {
    EXPECT_EQ(*item, expected++);
    EXPECT_LE(queue.size(), 2U);
  }
  EXPECT_EQ(expected, 100);
}

TEST(BoundedQueue, wakes_a_waiting_producer_and_drops_its_items_when_cancelled) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.push(1));
  std::jthread producer([&] { EXPECT_FALSE(queue.push(2)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  queue.cancel();
  producer.join();
  EXPECT_FALSE(queue.pop().has_value());
}

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
