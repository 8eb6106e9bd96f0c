#include "eval/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"

namespace actio::eval {
namespace {

TEST(Metrics, count_right_clips_classes_and_confusions) {
  // Three clips of class 0 (two right), one of class 1 (wrong); class 2 does not occur.
  const Tensor scores = Tensor::of({4, 3}, std::vector<float>{3, 1, 0, 2, 1, 0, 0, 5, 1, 4, 2, 1});
  const std::vector<std::int64_t> labels = {0, 0, 0, 1};
  const Metrics m = compute_metrics(scores, labels);
  EXPECT_DOUBLE_EQ(m.top1, 0.5);
  EXPECT_DOUBLE_EQ(m.top5, 1);
  EXPECT_DOUBLE_EQ(m.mean_class_accuracy, (2.0 / 3 + 0) / 2);
  EXPECT_EQ(m.confusion[0], (std::vector<std::int64_t>{2, 1, 0}));
  EXPECT_EQ(m.confusion[1], (std::vector<std::int64_t>{1, 0, 0}));
}

TEST(Metrics, give_wilsons_interval) {
  std::vector<float> scores;
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 10; ++i) {
    scores.insert(scores.end(), {1, 0});
    labels.push_back(i < 8 ? 0 : 1);
  }
  const Metrics m = compute_metrics(Tensor::of({10, 2}, scores), labels);
  // R: binom::binom.wilson(8, 10)
  EXPECT_NEAR(m.top1_low, 0.4901625, 1e-6);
  EXPECT_NEAR(m.top1_high, 0.9433178, 1e-6);
}

TEST(Metrics, break_ties_towards_the_lower_class) {
  const Metrics m = compute_metrics(Tensor({1, 3}), std::vector<std::int64_t>{0});
  EXPECT_EQ(m.top1, 1);
}

TEST(Metrics, top5_looks_at_five_classes_of_more) {
  std::vector<float> row = {6, 5, 4, 3, 2, 1};
  EXPECT_EQ(compute_metrics(Tensor::of({1, 6}, row), std::vector<std::int64_t>{4}).top5, 1);
  EXPECT_EQ(compute_metrics(Tensor::of({1, 6}, row), std::vector<std::int64_t>{5}).top5, 0);
}

TEST(Metrics, refuse_nan_wrong_counts_and_labels_outside_of_the_classes) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(compute_metrics(Tensor::of({1, 2}, std::vector<float>{nan, 1}), std::vector<std::int64_t>{0}), Error);
  EXPECT_THROW(compute_metrics(Tensor({2, 2}), std::vector<std::int64_t>{0}), Error);
  EXPECT_THROW(compute_metrics(Tensor({1, 2}), std::vector<std::int64_t>{2}), Error);
  EXPECT_THROW(compute_metrics(Tensor({1, 2}), std::vector<std::int64_t>{-1}), Error);
}

TEST(Metrics, of_no_clip_are_zero_instead_of_nan) { EXPECT_EQ(compute_metrics(Tensor({0, 3}), {}).top1, 0); }

TEST(Metrics, within_groups_ask_only_which_class_of_the_group_is_higher) {
  // Classes 0 and 1 are one pair, 2 and 3 another.
  const std::vector<std::int64_t> pairs = {7, 7, 9, 9};
  const Tensor scores = Tensor::of({4, 4}, std::vector<float>{0.1F, 0.2F, 5, 6,      // 1 beats 0 although 3 is best of all
                                                              0.1F, 0.2F, 5, 6,      // the same clip, truly 0
                                                              9, 9, 1, 1,            // a tie of 2 and 3
                                                              -3, -4, -5, -6});      // 2 beats 3
  EXPECT_DOUBLE_EQ(accuracy_within_groups(scores, std::vector<std::int64_t>{1, 0, 3, 2}, pairs), (1 + 0 + 0.5 + 1) / 4);
  EXPECT_DOUBLE_EQ(accuracy_within_groups(scores, std::vector<std::int64_t>{1, 0, 3, 2}, std::vector<std::int64_t>{0, 1, 2, 3}), 1);
  EXPECT_DOUBLE_EQ(accuracy_within_groups(Tensor({0, 4}), {}, pairs), 0);
  EXPECT_THROW(accuracy_within_groups(scores, std::vector<std::int64_t>{1, 0, 3}, pairs), Error);
  EXPECT_THROW(accuracy_within_groups(scores, std::vector<std::int64_t>{1, 0, 3, 4}, pairs), Error);
  EXPECT_THROW(accuracy_within_groups(scores, std::vector<std::int64_t>{1, 0, 3, 2}, std::vector<std::int64_t>{7}), Error);
}

}  // namespace
}  // namespace actio::eval
