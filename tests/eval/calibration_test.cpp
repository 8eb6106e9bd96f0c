#include "eval/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "eval/groups.h"
#include "eval/metrics.h"

namespace actio::eval {
namespace {

TEST(Calibration, of_a_worked_example) {
  // Confidences 0.9 and 0.92 share the bin (13/15, 14/15], 0.6 is alone, 0.55 too. Right, wrong, right, wrong.
  const Tensor p =
      Tensor::of({4, 3}, std::vector<float>{0.9F, 0.05F, 0.05F, 0.92F, 0.08F, 0, 0.3F, 0.6F, 0.1F, 0.1F, 0.35F, 0.55F});
  const std::vector<std::int64_t> labels = {0, 1, 1, 0};
  const Calibration c = measure_calibration(p, labels);
  EXPECT_NEAR(c.expected_error, (std::abs(0.9 + 0.92 - 1) + (1 - 0.6) + 0.55) / 4, 1e-6);
  EXPECT_NEAR(c.negative_log_likelihood, -(std::log(0.9) + std::log(0.08) + std::log(0.6) + std::log(0.1)) / 4, 1e-6);
  const double brier = (0.01 + 0.0025 + 0.0025) + (0.92 * 0.92 * 2) + (0.09 + 0.16 + 0.01) + (0.81 + 0.1225 + 0.3025);
  EXPECT_NEAR(c.brier, brier / 4, 1e-6);
}

TEST(Calibration, of_the_sure_and_right_is_perfect_and_of_the_sure_and_wrong_is_finite) {
  const Tensor p = Tensor::of({2, 2}, std::vector<float>{1, 0, 1, 0});
  const Calibration good = measure_calibration(p, std::vector<std::int64_t>{0, 0});
  EXPECT_EQ(good.expected_error, 0);
  EXPECT_EQ(good.negative_log_likelihood, 0);
  EXPECT_EQ(good.brier, 0);
  const Calibration bad = measure_calibration(p, std::vector<std::int64_t>{1, 1});
  EXPECT_EQ(bad.expected_error, 1);
  EXPECT_NEAR(bad.negative_log_likelihood, 12 * std::log(10.0), 1e-9);
  EXPECT_EQ(bad.brier, 2);
}

TEST(Calibration, bins_are_closed_above) {
  // 10/15 and a little more fall into different bins: their errors do not cancel.
  const auto two_thirds = static_cast<float>(0.66666);
  const Tensor p = Tensor::of({2, 2}, std::vector<float>{two_thirds, 1 - two_thirds, 0.6667F, 0.3333F});
  EXPECT_NEAR(measure_calibration(p, std::vector<std::int64_t>{0, 1}).expected_error, (1 - 0.66666 + 0.6667) / 2, 1e-5);
  EXPECT_NEAR(
      measure_calibration(Tensor::of({2, 2}, std::vector<float>{0.6F, 0.4F, 0.6F, 0.4F}), std::vector<std::int64_t>{0, 1})
          .expected_error,
      0.1, 1e-6);
}

TEST(Calibration, refuses_nan_wrong_counts_and_labels_and_takes_no_clip) {
  EXPECT_THROW(measure_calibration(Tensor({2, 2}), std::vector<std::int64_t>{0}), Error);
  EXPECT_THROW(measure_calibration(Tensor({1, 2}), std::vector<std::int64_t>{2}), Error);
  EXPECT_THROW(measure_calibration(Tensor::of({1, 2}, std::vector<float>{1, std::nanf("")}), std::vector<std::int64_t>{0}),
               Error);
  EXPECT_EQ(measure_calibration(Tensor({0, 2}), {}).brier, 0);
}

TEST(Metrics, have_calibration_where_scores_are_probabilities) {
  const Tensor p = Tensor::of({1, 2}, std::vector<float>{0.25F, 0.75F});
  const std::vector<std::int64_t> labels = {1};
  EXPECT_FALSE(compute_metrics(p, labels).calibration.has_value());
  const Metrics m = compute_metrics(p, labels, ScoreKind::kProbabilities);
  EXPECT_NEAR(m.calibration.value().expected_error, 0.25, 1e-6);
  EXPECT_NEAR(to_json(m, {"a", "b"}).at("brier").get<double>(), 0.125, 1e-6);
}

TEST(Groups, have_a_mean_and_a_deviation_in_which_every_group_counts_the_same) {
  const Tensor scores = Tensor::of({6, 2}, std::vector<float>{1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0});
  const std::vector<std::int64_t> labels = {0, 0, 0, 1, 1, 0};  // right, right, wrong, right, wrong, right
  const std::vector<std::string> groups = {"g10", "g10", "g10", "g2", "g2", "g1"};
  const GroupMetrics m = measure_groups(scores, labels, groups);
  ASSERT_EQ(m.groups.size(), 3U);
  EXPECT_EQ(m.groups[0].group, "g1");
  EXPECT_EQ(m.groups[1].group, "g2");
  EXPECT_EQ(m.groups[2].group, "g10");
  EXPECT_EQ(m.groups[2].clips, 3);
  EXPECT_DOUBLE_EQ(m.groups[2].top1, 2.0 / 3);
  EXPECT_NEAR(m.mean, (1 + 0.5 + 2.0 / 3) / 3, 1e-12);
  EXPECT_NEAR(m.deviation, 0.2545875, 1e-6);  // numpy.std([1, .5, 2/3], ddof=1)
}

TEST(Groups, of_one_clip_each_or_one_in_all_are_no_groups) {
  const Tensor scores({2, 2});
  const std::vector<std::int64_t> labels = {0, 0};
  EXPECT_TRUE(measure_groups(scores, labels, std::vector<std::string>{"a", "b"}).groups.empty());
  EXPECT_TRUE(measure_groups(scores, labels, std::vector<std::string>{"a", "a"}).groups.empty());
  EXPECT_THROW(measure_groups(scores, labels, std::vector<std::string>{"a"}), Error);
}

}  // namespace
}  // namespace actio::eval
