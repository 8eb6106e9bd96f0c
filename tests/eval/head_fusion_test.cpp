#include "eval/head_fusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/rng.h"
#include "eval/calibration.h"
#include "eval/metrics.h"

namespace actio::eval {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kClasses = 4;

struct Data {
  std::vector<std::int64_t> labels;
  std::vector<Tensor> heads;
};

double normal(Rng& rng) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += rng.uniform(0, 1);
  return sum - 6;
}

// A head for each signal: how much of the true class its logits show, over noise of deviation 1, times a sharpness.
Data make(std::int64_t clips, const std::vector<std::pair<double, double>>& signals, std::uint64_t seed) {
  Rng rng(seed);
  Data data;
  for (std::int64_t i = 0; i < clips; ++i) data.labels.push_back(static_cast<std::int64_t>(rng.below(kClasses)));
  for (const auto& [signal, sharpness] : signals) {
    Tensor logits({clips, kClasses});
    for (std::int64_t i = 0; i < clips; ++i) {
      for (std::int64_t c = 0; c < kClasses; ++c) {
        const double shown = c == data.labels[static_cast<std::size_t>(i)] ? signal : 0;
        logits.data<float>()[i * kClasses + c] = static_cast<float>(sharpness * (shown + normal(rng)));
      }
    }
    data.heads.push_back(logits);
  }
  return data;
}

double top1(const Data& data, const std::vector<double>& factors) {
  return compute_metrics(fused_probabilities(data.heads, factors), data.labels).top1;
}

double calibration_error(const Data& data, const std::vector<double>& factors) {
  return measure_calibration(fused_probabilities(data.heads, factors), data.labels).expected_error;
}

TEST(HeadFusion, makes_an_overconfident_head_say_what_it_knows) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const std::vector<std::pair<double, double>> signal = {{2, 8}};
    const Data known = make(400, signal, seed), unseen = make(2000, signal, seed + 100);
    const HeadFusion fusion = fit_heads(known.heads, known.labels);
    ASSERT_EQ(fusion.factors.size(), 1U);
    EXPECT_NEAR(fusion.factors[0], 2 / 8.0, 0.05) << "the log odds of the true class are its signal times the shown";
    EXPECT_GT(calibration_error(unseen, {1}), 0.1);
    EXPECT_LT(calibration_error(unseen, fusion.factors), 0.04);
    EXPECT_EQ(top1(unseen, {1}), top1(unseen, fusion.factors)) << "a temperature changes no answer";
    EXPECT_EQ(fusion.single, -1) << "there is nothing beside it";
  }
}

TEST(HeadFusion, weighs_heads_by_what_they_know_and_is_better_than_the_best_of_them) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const std::vector<std::pair<double, double>> signals = {{2.5, 1}, {1.5, 6}, {0, 4}};  // the third knows nothing and is sure of it
    const Data known = make(200, signals, seed), unseen = make(3000, signals, seed + 100);
    const HeadFusion fusion = fit_heads(known.heads, known.labels);
    const double fused = top1(unseen, fusion.factors);
    EXPECT_GT(fused, top1(unseen, {1, 0, 0}) + 0.01) << seed;
    EXPECT_GT(fused, top1(unseen, {0, 1, 0})) << seed;
    EXPECT_GT(fused, top1(unseen, {1, 1, 1}) + 0.05) << seed << ": equal weights of raw scores";
    EXPECT_LT(calibration_error(unseen, fusion.factors), 0.06) << seed;
    EXPECT_LT(4 * fusion.factors[2], 0.5) << "what knows nothing hardly counts";
  }
}

TEST(HeadFusion, of_few_clips_stays_near_equal_weights) {
  double spread = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Data few = make(12, {{2, 1}, {2, 1}}, seed);
    const HeadFusion fusion = fit_heads(few.heads, few.labels);
    ASSERT_GT(fusion.factors[0] + fusion.factors[1], 0);
    EXPECT_LT(fusion.factors[0] + fusion.factors[1], 40) << "certainty is not endless";
    spread += std::abs(fusion.factors[0] / (fusion.factors[0] + fusion.factors[1]) - 0.5);
  }
  EXPECT_LT(spread / 10, 0.25);
}

TEST(HeadFusion, leaves_out_a_head_that_is_wrong_on_purpose) {
  Data data = make(300, {{2, 1}, {2, 1}}, 5);
  for (float& value : data.heads[1].values<float>()) value = -value;
  const HeadFusion fusion = fit_heads(data.heads, data.labels);
  EXPECT_EQ(fusion.factors[1], 0) << "no head counts against itself";
  EXPECT_GE(fusion.fused.top1, fusion.alone[0].top1 - 0.01);
}

TEST(HeadFusion, knows_a_probability_that_most_right_answers_reach_and_answers_to_nothing_do_not) {
  const std::vector<std::pair<double, double>> signals = {{4, 1}, {4, 3}};
  const Data known = make(400, signals, 4), unseen = make(2000, signals, 104), noise = make(2000, {{0, 1}, {0, 3}}, 204);
  const HeadFusion fusion = fit_heads(known.heads, known.labels);
  const auto share_above = [&](const Data& data, bool right_ones) {
    const Tensor probabilities = fused_probabilities(data.heads, fusion.factors);
    double above = 0, all = 0;
    for (std::size_t i = 0; i < data.labels.size(); ++i) {
      const auto* const row = std::as_const(probabilities).data<float>() + static_cast<std::int64_t>(i) * probabilities.dim(1);
      const auto* const best = std::max_element(row, row + probabilities.dim(1));
      if (right_ones && best - row != data.labels[i]) continue;
      all += 1;
      above += *best >= fusion.reject_below ? 1 : 0;
    }
    return above / all;
  };
  EXPECT_NEAR(share_above(unseen, true), 0.95, 0.02);
  EXPECT_LT(share_above(noise, false), 0.7);
  EXPECT_EQ(fit_heads(make(12, signals, 4).heads, make(12, signals, 4).labels).reject_below, 0) << "a dozen clips do not tell";
}

TEST(HeadFusion, judges_by_groups_that_it_has_not_seen) {
  // Every clip is there five times: one left out alone would be known by its copies.
  const Data base = make(30, {{1, 1}, {1, 1}}, 3);
  Data copies;
  std::vector<std::string> groups;
  for (int copy = 0; copy < 5; ++copy) {
    copies.labels.insert(copies.labels.end(), base.labels.begin(), base.labels.end());
    for (int i = 0; i < 30; ++i) groups.push_back("g" + std::to_string(i));
  }
  for (const Tensor& head : base.heads) {
    Tensor many({150, kClasses});
    for (int copy = 0; copy < 5; ++copy) std::ranges::copy(head.values<float>(), many.data<float>() + copy * head.numel());
    copies.heads.push_back(many);
  }
  const HeadFusion once = fit_heads(base.heads, base.labels), grouped = fit_heads(copies.heads, copies.labels, groups);
  EXPECT_NEAR(grouped.fused.negative_log_likelihood, once.fused.negative_log_likelihood, 0.05);
}

TEST(HeadFusion, gives_the_same_twice_and_finite_factors_for_clips_that_are_all_right) {
  const Data easy = make(40, {{50, 1}, {50, 1}}, 1);
  const HeadFusion a = fit_heads(easy.heads, easy.labels), b = fit_heads(easy.heads, easy.labels);
  EXPECT_EQ(a.factors, b.factors);
  for (const double factor : a.factors) EXPECT_TRUE(std::isfinite(factor));
  EXPECT_EQ(a.fused.top1, 1);
}

TEST(HeadFusion, refuses_what_cannot_be_weighed_in_one_line) {
  const Data data = make(6, {{1, 1}}, 1);
  const auto refusal = [](const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(refusal([&] { fit_heads({}, data.labels); }), "the weights of heads need a head, got none");
  EXPECT_EQ(refusal([&] { fit_heads({Tensor({1, 4})}, {0}); }), "the weights of heads need two clips at least, got 1");
  EXPECT_THAT(refusal([&] { fit_heads({Tensor({5, 4})}, data.labels); }), HasSubstr("[5, 4] for 6 clips"));
  EXPECT_EQ(refusal([&] { fit_heads(data.heads, data.labels, {"a"}); }), "1 groups for 6 clips");
  EXPECT_EQ(refusal([&] { fit_heads(data.heads, data.labels, std::vector<std::string>(6, "a")); }),
            "the weights of heads need clips of two groups at least, got 1");
  Data bad = make(6, {{1, 1}}, 1);
  bad.heads[0].data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal([&] { fit_heads(bad.heads, bad.labels); }), HasSubstr("not finite"));
  bad = make(6, {{1, 1}}, 1);
  bad.labels[2] = 9;
  EXPECT_EQ(refusal([&] { fit_heads(bad.heads, bad.labels); }), "label 9 is none of 4 classes");
}

}  // namespace
}  // namespace actio::eval
