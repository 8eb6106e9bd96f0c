#include "eval/weight_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "core/error.h"
#include "eval/fusion.h"
#include "eval/metrics.h"
#include "tables.h"

namespace actio::eval {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using testing::random_table;
using testing::table_of;

TEST(WeightSearch, never_does_worse_than_a_fine_grid_of_its_own) {
  const std::vector<ScoreTable> tables = {random_table(300, 5, 1.2, 1), random_table(300, 5, 2.0, 2),
                                          random_table(300, 5, 0.2, 3)};
  const FoundWeights found = search_weights(tables);
  EXPECT_NEAR(std::accumulate(found.weights.begin(), found.weights.end(), 0.0), 1, 1e-9);
  EXPECT_THAT(found.weights, Each(Ge(0.0)));
  const auto accuracy = [&](const std::vector<double>& weights) {
    return compute_metrics(fuse(tables, weights).scores, tables[0].labels).top1;
  };
  EXPECT_DOUBLE_EQ(found.top1, accuracy(found.weights));
  EXPECT_DOUBLE_EQ(found.top1_equal, accuracy({1, 1, 1}));
  EXPECT_GT(found.top1, found.top1_equal);
  for (int a = 0; a <= 10; ++a) {
    for (int b = 0; a + b <= 10; ++b)
      EXPECT_GE(found.top1, accuracy({0.1 * a, 0.1 * b, 1 - 0.1 * (a + b) + 1e-12})) << a << " " << b;
  }
  EXPECT_EQ(search_weights(tables).weights, found.weights);
}

TEST(WeightSearch, finds_a_narrow_range_between_two_points_of_the_grid) {
  // Right where the first table's share is above 0.215, and below 0.22: between 4/20 and 5/20.
  const ScoreTable first = table_of({"x", "y"}, {0, 1}, 2, {0.785F, 0, 0, -0.78F});
  const ScoreTable second = table_of({"x", "y"}, {0, 1}, 2, {-0.215F, 0, 0, 0.22F});
  const FoundWeights found = search_weights({first, second});
  EXPECT_EQ(found.top1, 1);
  EXPECT_NEAR(found.weights[0], 0.2175, 1e-4);  // its middle
  EXPECT_NEAR(search_weights({second, first}).weights[0], 1 - 0.2175, 1e-4);
}

TEST(WeightSearch, stays_at_equal_weights_where_nothing_is_gained) {
  const ScoreTable right = table_of({"x", "y"}, {0, 1}, 2, {1, 0, 0, 1});
  EXPECT_THAT(search_weights({right, right, right}).weights, Each(1.0 / 3));
}

TEST(WeightSearch, goes_no_further_from_equal_weights_than_the_clips_ask_for) {
  // Right as soon as the first table has more than 2/3 of the weight.
  const ScoreTable good = table_of({"x"}, {0}, 2, {1, 0}), bad = table_of({"x"}, {0}, 2, {0, 2});
  EXPECT_NEAR(search_weights({good, bad}).weights[0], 0.7, 1e-9);
  EXPECT_NEAR(search_weights({bad, good}).weights[1], 0.7, 1e-9);
}

TEST(WeightSearch, counts_only_clips_whose_class_is_known) {
  const ScoreTable a = table_of({"x", "y", "z"}, {0, -1, 1}, 2, {1, 0, 1, 0, 0, 1});
  EXPECT_EQ(search_weights({a, a}).clips, 2);
  const ScoreTable none = table_of({"x"}, {-1}, 2, {1, 0});
  EXPECT_THROW(search_weights({none, none}), Error);
}

TEST(WeightSearch, takes_two_to_eight_tables_and_few_tries) {
  const ScoreTable a = random_table(20, 3, 1, 1);
  EXPECT_THROW(search_weights({a}), Error);
  EXPECT_THROW(search_weights(std::vector<ScoreTable>(9, a)), Error);
  EXPECT_LT(search_weights(std::vector<ScoreTable>(8, a)).tried, 5000);
}

std::string disjoint_error(const ScoreTable& validation, const ScoreTable& test) {
  try {
    check_disjoint(validation, test, ClipMatch::kPath);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return {};
}

TEST(WeightSearch, refuses_test_clips_by_name_or_under_other_names) {
  const ScoreTable test = random_table(10, 3, 1, 1, "test/");
  EXPECT_EQ(disjoint_error(random_table(10, 3, 1, 2, "val/"), test), "");
  ScoreTable one = random_table(10, 3, 1, 2, "val/");
  one.paths[4] = "test/7.mp4";
  EXPECT_THAT(disjoint_error(one, test), HasSubstr("clip 'test/7.mp4' is in test/1"));
  EXPECT_THAT(disjoint_error(random_table(10, 3, 1, 1, "copy/"), test), HasSubstr("10 of 10 rows"));
}

TEST(WeightSearch, takes_votes_whose_rows_are_alike_for_other_clips) {
  const auto votes = [](const std::string& folder) {
    ScoreTable table = random_table(30, 3, 1, 1, folder);
    std::ranges::fill(table.scores.values<float>(), 0.0F);
    for (std::size_t i = 0; i < 30; ++i) table.scores.values<float>()[3 * i + i % 3] = 1;
    return table;
  };
  EXPECT_EQ(disjoint_error(votes("val/"), votes("test/")), "");
}

}  // namespace
}  // namespace actio::eval
