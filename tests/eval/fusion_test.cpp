#include "eval/fusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/error.h"
#include "support/compare.h"
#include "tables.h"

namespace actio::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::table_of;

std::string message_of(const std::function<void()>& call, ErrorCode code = ErrorCode::kBadData) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

std::string align_error(std::vector<ScoreTable> tables, const FusionOptions& options = {}) {
  return message_of([&] { align(std::move(tables), options); });
}

TEST(Align, puts_the_rows_of_all_tables_into_the_order_of_the_first) {
  const ScoreTable a = table_of({"x", "y", "z"}, {0, 1, 0}, 2, {1, 2, 3, 4, 5, 6}, "A");
  const ScoreTable b = table_of({"z", "x", "y"}, {0, 0, 1}, 2, {50, 60, 10, 20, 30, 40}, "B");
  const auto aligned = align({a, b}, {});
  EXPECT_THAT(aligned[1].paths, ElementsAre("x", "y", "z"));
  EXPECT_THAT(aligned[1].scores.values<float>(), ElementsAre(10, 20, 30, 40, 50, 60));
  EXPECT_THAT(aligned[1].labels, ElementsAre(0, 1, 0));
}

TEST(Align, takes_paths_that_differ_in_the_extension_of_a_video_for_the_same_clip) {
  EXPECT_EQ(clip_key("./a/v_x.avi", ClipMatch::kPath), "a/v_x");
  EXPECT_EQ(clip_key("a//v_x.MP4", ClipMatch::kPath), "a/v_x");
  EXPECT_EQ(clip_key("a/v_x.5", ClipMatch::kPath), "a/v_x.5");
  EXPECT_EQ(clip_key("/data/a/v_x.mp4", ClipMatch::kName), "v_x");
  EXPECT_NE(clip_key("b/v_x", ClipMatch::kPath), clip_key("a/v_x", ClipMatch::kPath));
  const ScoreTable a = table_of({"d/x.avi"}, {0}, 1, {1}, "A"), b = table_of({"/e/x.mp4"}, {0}, 1, {2}, "B");
  EXPECT_THAT(align_error({a, b}), HasSubstr("B: clip 'd/x.avi' of A is missing"));
  EXPECT_EQ(align({a, b}, {.match = ClipMatch::kName}).size(), 2U);
}

TEST(Align, names_the_first_clip_that_is_missing_on_either_side) {
  const ScoreTable a = table_of({"x", "y", "z"}, {0, 0, 0}, 1, {1, 2, 3}, "A"),
                   b = table_of({"x", "z"}, {0, 0}, 1, {1, 2}, "B");
  EXPECT_THAT(align_error({a, b}), HasSubstr("B: clip 'y' of A is missing; 2 and 3 clips"));
  EXPECT_THAT(align_error({b, a}), HasSubstr("B: clip 'y' of A is missing"));
  EXPECT_THAT(align_error({a, a, b}), HasSubstr("B: clip 'y' of A"));
}

TEST(Align, leaves_out_what_not_all_have_where_that_is_asked_for) {
  const ScoreTable a = table_of({"x", "y", "z"}, {0, 0, 0}, 1, {1, 2, 3}, "A"),
                   b = table_of({"w", "z", "x"}, {0, 0, 0}, 1, {7, 8, 9}, "B");
  const auto aligned = align({a, b}, {.common = true});
  EXPECT_THAT(aligned[0].paths, ElementsAre("x", "z"));
  EXPECT_THAT(aligned[1].scores.values<float>(), ElementsAre(9, 8));
  EXPECT_THAT(align_error({a, table_of({"q"}, {0}, 1, {1}, "Q")}, {.common = true}),
              HasSubstr("A and Q have no clip in common"));
}

TEST(Align, refuses_labels_that_differ_and_fills_in_those_that_one_file_lacks) {
  const ScoreTable a = table_of({"x", "y"}, {-1, 1}, 2, {1, 2, 3, 4}, "A"),
                   b = table_of({"x", "y"}, {1, -1}, 2, {1, 2, 3, 4}, "B");
  const auto aligned = align({a, b}, {});
  EXPECT_THAT(aligned[0].labels, ElementsAre(1, 1));
  EXPECT_THAT(aligned[1].labels, ElementsAre(1, 1));
  const ScoreTable c = table_of({"x", "y"}, {0, 1}, 2, {1, 2, 3, 4}, "C");
  EXPECT_THAT(align_error({a, b, c}), HasSubstr("C: clip 'x' has label 0, but in B it has 1"));
  ScoreTable named = b;
  named.classes = {"jump", "run"};
  EXPECT_THAT(align_error({a, named, c}), HasSubstr("C: clip 'x' has label 'jump', but in B it has 'run'"));
}

TEST(Align, refuses_classes_that_differ_in_number_name_or_order) {
  ScoreTable a = table_of({"x"}, {0}, 2, {1, 2}, "A"), b = a, c = table_of({"x"}, {0}, 3, {1, 2, 3}, "C");
  EXPECT_THAT(align_error({a, c}), HasSubstr("C has 3 classes, but A has 2"));
  b.source = "B";
  b.classes = {"run", "jump"};
  EXPECT_THAT(align({a, b}, {})[0].classes, ElementsAre("run", "jump"));
  a.classes = {"jump", "run"};
  EXPECT_THAT(align_error({a, b}), HasSubstr("B: class 0 is 'run', but in A it is 'jump'"));
  c.classes = {"jump", "run", "wave"};
  EXPECT_THAT(align_error({a, c}), HasSubstr("C has 3 classes, but A has 2; A has no class 'wave'"));
}

TEST(Align, refuses_two_clips_that_count_as_one) {
  const ScoreTable a = table_of({"a/x.avi", "b/x.avi"}, {0, 0}, 1, {1, 2}, "A");
  EXPECT_EQ(align({a, a}, {}).size(), 2U);
  EXPECT_THAT(align_error({a, a}, {.match = ClipMatch::kName}), HasSubstr("A: 'a/x.avi' and 'b/x.avi' count as the same clip"));
}

TEST(Normalised, rows_have_the_properties_that_are_asked_for) {
  const ScoreTable table = table_of({"x", "y", "z"}, {0, 0, 0}, 3, {1, 2, 3, 1000, 1001, 999, 4, 4, 4});
  EXPECT_EQ(normalised(table, Normalisation::kRaw).scores.raw(), table.scores.raw());
  const ScoreTable soft = normalised(table, Normalisation::kSoftmax);
  EXPECT_EQ(soft.kind, ScoreKind::kProbabilities);
  const auto expect_rows = [](const ScoreTable& actual, const std::vector<double>& expected) {
    const std::vector<float> values(expected.begin(), expected.end());
    EXPECT_TRUE(testing::close(actual.scores, Tensor::of({3, 3}, values), 1e-6));
  };
  const double e = std::exp(1.0), a = 1 / (1 + e + e * e), b = e * a, c = e * b;
  expect_rows(soft, {a, b, c, b, c, a, 1.0 / 3, 1.0 / 3, 1.0 / 3});
  const double step = std::sqrt(1.5);  // the deviation of 1, 2, 3 is sqrt(2 / 3)
  const ScoreTable l2 = normalised(table, Normalisation::kL2);
  expect_rows(normalised(table, Normalisation::kStandardise), {-step, 0, step, 0, step, -step, 0, 0, 0});
  EXPECT_NEAR(l2.scores.values<float>()[0], 1 / std::sqrt(14), 1e-6);
  EXPECT_NEAR(l2.scores.values<float>()[8], 1 / std::sqrt(3), 1e-6);
  EXPECT_EQ(l2.kind, ScoreKind::kUnknown);
}

TEST(Normalised, softmax_leaves_probabilities_alone) {
  ScoreTable table = table_of({"x"}, {0}, 2, {0.25F, 0.75F});
  table.kind = ScoreKind::kProbabilities;
  EXPECT_THAT(normalised(table, Normalisation::kSoftmax).scores.values<float>(), ElementsAre(0.25F, 0.75F));
}

TEST(Fuse, is_the_weighted_mean_and_of_a_kind_where_all_are) {
  ScoreTable a = table_of({"x"}, {0}, 2, {1, 0}), b = table_of({"x"}, {0}, 2, {0, 1});
  EXPECT_THAT(fuse({a, b}, {1, 3}).scores.values<float>(), ElementsAre(0.25F, 0.75F));
  EXPECT_EQ(fuse({a, b}, {1, 3}).kind, ScoreKind::kUnknown);
  a.kind = b.kind = ScoreKind::kProbabilities;
  EXPECT_EQ(fuse({a, b}, {1, 3}).kind, ScoreKind::kProbabilities);
  check_table(fuse({a, b}, {5, 3}));
  b.kind = ScoreKind::kLogits;
  EXPECT_EQ(fuse({a, b}, {1, 3}).kind, ScoreKind::kUnknown);
}

TEST(Fuse, refuses_weights_that_make_no_sense) {
  const ScoreTable a = table_of({"x"}, {0}, 2, {1, 0});
  const auto usage = [&](const std::vector<double>& weights) {
    return message_of([&] { fuse({a, a}, weights); }, ErrorCode::kUsage);
  };
  EXPECT_THAT(usage({1}), HasSubstr("2 files need as many weights, got 1"));
  EXPECT_THAT(usage({1, -0.5}), HasSubstr("-0.5"));
  EXPECT_THAT(usage({0, 0}), HasSubstr("above 0, got 0,0"));
  EXPECT_THAT(usage({1, std::nan("")}), HasSubstr("nan"));
  EXPECT_THAT(usage({1e308, 1e308}), HasSubstr("above 0"));
}

}  // namespace
}  // namespace actio::eval
