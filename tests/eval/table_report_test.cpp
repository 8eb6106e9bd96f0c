#include "eval/table_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace actio::eval {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Clips "c0", "c1", ... of two classes; a clip is right where `right` holds.
ScoreTable scores_of(const std::vector<bool>& right, const std::string& source = "a.csv") {
  ScoreTable table;
  table.source = source;
  std::vector<float> values;
  for (std::size_t i = 0; i < right.size(); ++i) {
    table.paths.push_back("c" + std::to_string(i));
    table.labels.push_back(static_cast<std::int64_t>(i % 2));
    const bool first = (i % 2 == 0) == right[i];
    values.insert(values.end(), {first ? 0.75F : 0.25F, first ? 0.25F : 0.75F});
  }
  table.scores = Tensor::of({static_cast<std::int64_t>(right.size()), 2}, values);
  table.kind = ScoreKind::kProbabilities;
  return table;
}

TEST(RowFigures, count_every_clip_or_every_fold_the_same) {
  const std::vector<FoldScores> folds = {{"1", scores_of({true, true})}, {"2", scores_of({true, false, false, false})}};
  const SeedFigures clips = measure_seed(7, folds, false);
  EXPECT_EQ(clips.seed, 7);
  EXPECT_EQ(clips.clips, 6);
  EXPECT_DOUBLE_EQ(clips.top1, 0.5);
  EXPECT_LT(clips.low, 0.5);
  EXPECT_GT(clips.high, 0.5);
  EXPECT_DOUBLE_EQ(measure_seed(7, folds, true).top1, (1 + 0.25) / 2);
  ASSERT_EQ(clips.folds.size(), 2U);
  EXPECT_EQ(clips.folds[1].group, "2");
  EXPECT_DOUBLE_EQ(clips.folds[1].top1, 0.25);
  EXPECT_THROW(measure_seed(7, {}, true), Error);
  ScoreTable unknown = scores_of({true});
  unknown.labels = {-1};
  EXPECT_THROW(measure_seed(7, {{"1", unknown}}, true), Error);
}

TEST(RowFigures, fuse_models_fold_by_fold_whatever_their_order) {
  const ScoreTable strong = scores_of({true, true});
  ScoreTable weak = scores_of({false, true}, "b.csv");
  weak.scores = Tensor::of({2, 2}, std::vector<float>{0.4F, 0.6F, 0.4F, 0.6F});
  const std::vector<FoldScores> a = {{"1", strong}, {"2", scores_of({true})}}, b = {{"2", scores_of({true})}, {"1", weak}};
  EXPECT_DOUBLE_EQ(measure_seed(1, fuse_folds({a, b}, {1, 1}), false).folds[0].top1, 1);      // first clip: 0.575 : 0.425
  EXPECT_DOUBLE_EQ(measure_seed(1, fuse_folds({a, b}, {1, 10}), false).folds[0].top1, 0.5);  // 0.43 : 0.57
  EXPECT_EQ(fuse_folds({a}, {1}).size(), 2U);
  EXPECT_THROW(fuse_folds({a, {b[0]}}, {1, 1}), Error);
  EXPECT_THROW(fuse_folds({a, {b[0], {"3", weak}}}, {1, 1}), Error);
  weak.kind = ScoreKind::kLogits;
  EXPECT_THROW(fuse_folds({a, {b[0], {"1", weak}}}, {1, 1}), Error) << "probabilities and logits";
}

TEST(RowFigures, over_seeds_have_an_interval_of_their_mean) {
  std::vector<SeedFigures> seeds(3);
  seeds[0].top1 = 0.90, seeds[1].top1 = 0.92, seeds[2].top1 = 0.94;
  const RowFigures row = summarise(seeds);
  EXPECT_DOUBLE_EQ(row.top1, 0.92);
  EXPECT_NEAR(row.high - row.top1, 4.3027 * 0.02 / std::sqrt(3.0), 1e-6);
  EXPECT_NEAR(row.top1 - row.low, row.high - row.top1, 1e-12);
  EXPECT_DOUBLE_EQ(summarise({{.seed = 1, .clips = 4, .top1 = 0.5, .low = 0.2, .high = 0.8}}).low, 0.2);
  EXPECT_NEAR(student_quantile(9), 2.2622, 1e-3);
  EXPECT_NEAR(student_quantile(30), 2.0423, 1e-3);
  EXPECT_NEAR(student_quantile(1'000'000), 1.96, 1e-3);
  EXPECT_THROW(summarise({}), Error);
}

RowFigures figures(double top1) { return {top1, top1 - 0.1, top1 + 0.1, 60, {{.seed = 1, .clips = 60, .top1 = top1}}}; }

TableReport report_of() {
  TableReport report;
  report.table = {.name = "t-1", .caption = "A table", .columns = {"HMDB51", "UCF101"}};
  report.data = "UT-Interaction";
  report.rows.push_back({{.label = "C3D | x", .paper = {std::nullopt, 82.3}, .absent = "not built"}, std::nullopt, ""});
  report.rows.push_back(
      {{.label = "A", .paper = {70.4, 93.5}, .with = "iDT", .paper_with = {71.0, 94.0}}, figures(0.8), ""});
  report.rows.push_back({{.label = "B", .paper = {69.6, 93.2}, .note = "smaller"}, figures(0.75), ""});
  report.rows.push_back({{.label = "C", .paper = {69.2, 92.0}}, std::nullopt, "conv1: expected\n64"});
  report.rows.push_back({{.label = "D", .paper = {69.2, std::nullopt}}, std::nullopt, ""});
  return report;
}

TEST(TableReport, compares_rows_where_the_data_are_others) {
  const std::string text = markdown_of(report_of());
  EXPECT_THAT(text,
              AllOf(HasSubstr("# A table\n"), HasSubstr("Paper: HMDB51 split 1, UCF101 split 1; ours: UT-Interaction."),
                    HasSubstr("These are other data than the paper's")));
  EXPECT_THAT(text, HasSubstr("| C3D \\| x | - | 82.3 | absent: not built |  |  |  |\n"));
  EXPECT_THAT(
      text,
      HasSubstr("| A | 70.4 (71.0 with iDT) | 93.5 (94.0 with iDT) | 80.0 | 70.0 to 90.0 | +0.0 (+0.0, +0.0) | 60 |\n"));
  EXPECT_THAT(text, HasSubstr("| B, smaller | 69.6 | 93.2 | 75.0 | 65.0 to 85.0 | -5.0 (-0.8, -0.3) | 60 |\n"));
  EXPECT_THAT(text, HasSubstr("| C | 69.2 | 92.0 | failed: conv1: expected 64 |"));
  EXPECT_THAT(text, HasSubstr("| D | 69.2 | - | not run |"));
  EXPECT_THAT(text, Not(HasSubstr("difference")));
}

TEST(TableReport, has_the_difference_where_the_data_are_the_papers) {
  TableReport report = report_of();
  report.own_column = 1;
  report.table.splits = "all";
  report.changes = {"train.epochs = 3"};
  report.rows[0].row.speed = 314;
  const std::string text = markdown_of(report);
  EXPECT_THAT(text, AllOf(HasSubstr("UCF101 over three splits"), HasSubstr("| difference |"),
                          HasSubstr("| 80.0 | 70.0 to 90.0 | -13.5 |"), HasSubstr("In every row: train.epochs = 3."),
                          HasSubstr("| 82.3 | 314 | absent"), Not(HasSubstr("other data"))));
  const Json json = to_json(report);
  EXPECT_EQ(json.at("same_data"), "UCF101");
  EXPECT_EQ(json.at("rows").size(), 5U);
  EXPECT_EQ(json.at("rows").at(0).at("absent"), "not built");
  EXPECT_TRUE(json.at("rows").at(0).at("paper").at("HMDB51").is_null());
  EXPECT_NEAR(json.at("rows").at(1).at("difference").get<double>(), 0.8 - 0.935, 1e-12);
  EXPECT_EQ(json.at("rows").at(1).at("ours").at("seeds").at(0).at("seed"), 1);
  EXPECT_EQ(json.at("rows").at(3).at("error"), "conv1: expected\n64");
}

TEST(TableReport, says_how_each_row_was_tested) {
  TableReport report = report_of();
  report.table.protocol = data::ProtocolName::kStfn;
  for (RowReport& row : report.rows) row.row.protocol = data::ProtocolName::kStfn;
  EXPECT_THAT(markdown_of(report),
              AllOf(HasSubstr("\nProtocol of the test clips: stfn.\n"), Not(HasSubstr("before softmax"))));
  report.rows[0].row.protocol = data::ProtocolName::kSlowfast;  // is absent
  report.rows[1].row.protocol = report.rows[3].row.protocol = data::ProtocolName::kTsn;
  report.rows[3].row.average = Average::kLogits;
  EXPECT_THAT(markdown_of(report), AllOf(HasSubstr("\nProtocol of the test clips: stfn; tsn for A, C.\n"),
                                         HasSubstr("\nScores before softmax are averaged, not probabilities, for C.\n")));
  const Json rows = to_json(report).at("rows");
  EXPECT_FALSE(rows.at(0).contains("protocol"));
  EXPECT_EQ(rows.at(3).at("protocol"), "tsn");
  EXPECT_EQ(rows.at(3).at("average"), "logits");
  EXPECT_EQ(rows.at(2).at("average"), "probabilities");
}

}  // namespace
}  // namespace actio::eval
