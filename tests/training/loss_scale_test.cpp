#include "training/loss_scale.h"

#include <gtest/gtest.h>

namespace actio::training {
namespace {

TEST(LossScale, is_one_for_good_where_it_is_not_wanted) {
  LossScale scale(false);
  for (int i = 0; i < 5000; ++i) scale.finish_step();
  EXPECT_EQ(scale.value(), 1);
  EXPECT_FALSE(scale.can_fall());
}

TEST(LossScale, halves_until_it_can_be_blamed_no_longer) {
  LossScale scale(true);
  int falls = 0;
  for (double last = scale.value(); scale.can_fall(); last = scale.value(), ++falls) {
    scale.fall();
    EXPECT_EQ(scale.value(), last / 2);
  }
  EXPECT_EQ(scale.value(), 1);
  EXPECT_EQ(falls, 16);
}

TEST(LossScale, doubles_after_many_good_steps_in_a_row_and_remembers_them_in_its_state) {
  LossScale scale(true);
  const double first = scale.value();
  for (int i = 0; i < 1999; ++i) scale.finish_step();
  scale.fall();
  for (int i = 0; i < 1999; ++i) scale.finish_step();
  EXPECT_EQ(scale.value(), first / 2);
  LossScale again(true);
  again.restore(scale.state());
  again.finish_step();
  EXPECT_EQ(again.value(), first);
}

TEST(LossScale, has_an_end) {
  LossScale scale(true);
  for (int i = 0; i < 100 * 2000; ++i) scale.finish_step();
  EXPECT_EQ(scale.value(), 1 << 24);
}

}  // namespace
}  // namespace actio::training
