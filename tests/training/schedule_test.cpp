#include "training/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace actio::training {
namespace {

TEST(Schedule, falls_by_ten_after_each_step_along_a_cosine_or_not_at_all) {
  TrainOptions options;
  options.epochs = 10;
  options.steps = {0.3, 0.8};
  EXPECT_DOUBLE_EQ(rate_factor(options, 0), 1);
  EXPECT_DOUBLE_EQ(rate_factor(options, 2.99), 1);
  EXPECT_DOUBLE_EQ(rate_factor(options, 3), 0.1);
  EXPECT_DOUBLE_EQ(rate_factor(options, 9), 0.01);
  options.schedule = RateSchedule::kCosine;
  EXPECT_DOUBLE_EQ(rate_factor(options, 0), 1);
  EXPECT_NEAR(rate_factor(options, 5), 0.5, 1e-12);
  EXPECT_NEAR(rate_factor(options, 10), 0, 1e-12);
  options.schedule = RateSchedule::kConstant;
  options.warmup_epochs = 2;
  EXPECT_DOUBLE_EQ(rate_factor(options, 0.5), 0.25);
  EXPECT_DOUBLE_EQ(rate_factor(options, 2), 1);
  EXPECT_DOUBLE_EQ(rate_factor(options, 9.9), 1);
}

TEST(Schedule, falls_on_a_plateau_of_the_loss_and_not_below_the_lowest_rate) {
  TrainOptions options;
  options.schedule = RateSchedule::kPlateau;
  options.patience = 2;
  options.learning_rate = 1e-4;
  options.lowest_rate = 1e-6;
  Schedule schedule(options);
  std::vector<double> factors;
  for (const double loss : {3.0, 2.0, 2.0, 1.9995, 2.5, 2.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}) {
    schedule.finish_epoch(loss);
    factors.push_back(schedule.factor(1));
  }
  const std::vector<double> expected = {1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(factors[i], expected[i], 1e-12) << i;
  Schedule later(options);
  later.restore(schedule.state());
  EXPECT_EQ(later.factor(1), schedule.factor(1));
}

}  // namespace
}  // namespace actio::training
