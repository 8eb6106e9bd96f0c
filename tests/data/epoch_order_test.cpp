// The order in which an epoch goes through the clips.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/epoch_order.h"

namespace actio::data {
namespace {

std::vector<std::int64_t> uneven_classes() {
  std::vector<std::int64_t> classes(60, 0);
  for (std::size_t i = 40; i < 55; ++i) classes[i] = 1;
  for (std::size_t i = 55; i < 60; ++i) classes[i] = 2;
  return classes;
}

TEST(EpochOrder, visits_every_clip_once_in_another_order_each_epoch) {
  const std::vector<std::int64_t> classes = uneven_classes();
  std::set<std::vector<std::size_t>> orders;
  for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
    const auto order = epoch_order(classes, {true, false, 1, epoch});
    EXPECT_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), classes.size());
    EXPECT_EQ(order, epoch_order(classes, {true, false, 1, epoch}));
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 5U);
  const auto plain = epoch_order(classes, {false, true, 1, 3});
  EXPECT_TRUE(std::ranges::is_sorted(plain));
}

TEST(EpochOrder, shows_every_class_equally_often_where_it_is_to_be_balanced) {
  const std::vector<std::int64_t> classes = uneven_classes();
  std::map<std::size_t, int> visits;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const auto order = epoch_order(classes, {true, true, 1, epoch});
    ASSERT_EQ(order.size(), classes.size());
    std::map<std::int64_t, int> counts;
    for (const std::size_t i : order) {
      ++counts[classes[i]];
      ++visits[i];
    }
    EXPECT_EQ(counts, (std::map<std::int64_t, int>{{0, 20}, {1, 20}, {2, 20}}));
    // The small class repeats as a whole: no clip of it is seen more often than another by more than one.
    std::map<std::size_t, int> small;
    for (const std::size_t i : order) {
      if (classes[i] == 2) ++small[i];
    }
    for (const auto& [clip, count] : small) EXPECT_EQ(count, 4);
  }
  EXPECT_EQ(visits.size(), classes.size());  // over some epochs every clip of the large class has its turn
}

TEST(EpochOrder, of_nothing_is_empty) {
  EXPECT_TRUE(epoch_order({}, {true, true, 1, 0}).empty());
  EXPECT_TRUE(epoch_order({}, {true, false, 1, 0}).empty());
}

}  // namespace
}  // namespace actio::data
