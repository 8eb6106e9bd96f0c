#include "training/mixup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "core/error.h"

namespace actio::training {
namespace {

using ::testing::ElementsAre;

TEST(Mixup, makes_each_clip_of_itself_and_the_next_one_in_all_inputs_alike) {
  TensorMap inputs;
  inputs["rgb"] = Tensor::of({6, 1}, std::vector<float>{0, 1, 10, 11, 20, 21});  // three clips of two snippets
  inputs["kept"] = Tensor::of({3, 1}, std::vector<float>{0, 100, 200});
  mix_with_next(inputs, 3, 0.75);
  const Tensor& rgb = std::as_const(inputs.at("rgb"));
  EXPECT_EQ(std::vector<float>(rgb.values<float>().begin(), rgb.values<float>().end()),
            (std::vector<float>{2.5F, 3.5F, 12.5F, 13.5F, 15, 16}));
  const Tensor& kept = std::as_const(inputs.at("kept"));
  EXPECT_EQ(std::vector<float>(kept.values<float>().begin(), kept.values<float>().end()), (std::vector<float>{25, 125, 150}));
  EXPECT_THAT(labels_of_next({4, 5, 6}), ElementsAre(5, 6, 4));
}

TEST(Mixup, leaves_a_clip_that_is_alone_as_it_is) {
  TensorMap inputs;
  inputs["rgb"] = Tensor::of({2}, std::vector<float>{3, 4});
  mix_with_next(inputs, 1, 0.5);
  EXPECT_EQ(std::as_const(inputs.at("rgb")).values<float>()[1], 4);
  EXPECT_THAT(labels_of_next({}), ElementsAre());
}

TEST(Mixup, refuses_rows_that_are_not_those_of_the_clips) {
  TensorMap inputs;
  inputs["rgb"] = Tensor::of({3}, std::vector<float>{1, 2, 3});
  EXPECT_THROW(mix_with_next(inputs, 2, 0.5), Error);
}

// The larger of two shares from Beta(a, a): 0.75 on average for a = 1, nearer to 1 for a smaller one.
TEST(Mixup, draws_shares_that_a_small_strength_keeps_near_the_clip_itself) {
  Rng rng(7);
  double sum = 0, sum_of_small = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const double share = draw_mixture(1, rng), small = draw_mixture(0.1, rng);
    EXPECT_GE(share, 0.5);
    EXPECT_LE(small, 1.0);
    sum += share;
    sum_of_small += small;
  }
  EXPECT_NEAR(sum / kDraws, 0.75, 0.01);
  EXPECT_GT(sum_of_small / kDraws, 0.92);
}

}  // namespace
}  // namespace actio::training
