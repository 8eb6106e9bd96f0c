// Published scores of BN-Inception and iDT on UCF101 split 1, and the accuracies that were published with them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/toml_text.h"
#include "data/group.h"
#include "eval/fusion.h"
#include "eval/metrics.h"
#include "eval/paper_table.h"
#include "eval/row_figures.h"
#include "eval/score_file.h"
#include "eval/weight_search.h"
#include "support/shared_data.h"

namespace actio::eval {
namespace {

class PublishedScores : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string index = testing::shared_file("data/scores/ucf101_split1_index.txt");
    ACTIO_NEEDS_SHARED(index);
    for (const std::string stream : {"rgb", "flow", "idt"}) {
      tables_.push_back(read_scores(testing::shared_file("data/scores/ucf101_split1_" + stream + ".f32"), index));
    }
    tables_ = align(tables_, {});
  }

  // In percent, to two digits.
  double accuracy(const std::vector<double>& weights) const {
    return std::round(1e4 * compute_metrics(fuse(tables_, weights).scores, tables_[0].labels).top1) / 100;
  }

  std::vector<ScoreTable> tables_;
};

TEST_F(PublishedScores, give_the_published_accuracies) {
  EXPECT_EQ(tables_[0].clips(), 3783);
  EXPECT_EQ(tables_[0].class_count(), 101);
  EXPECT_DOUBLE_EQ(accuracy({1, 0, 0}), 86.78);
  EXPECT_DOUBLE_EQ(accuracy({0, 1, 0}), 88.40);
  EXPECT_DOUBLE_EQ(accuracy({0, 0, 1}), 83.61);
  EXPECT_DOUBLE_EQ(accuracy({1, 1, 0}), 93.31);
  EXPECT_DOUBLE_EQ(accuracy({1, 1.5, 0}), 93.68);
}

TEST_F(PublishedScores, are_fused_to_the_published_accuracy_by_the_recipe_of_every_two_stream_row_of_tsn) {
  for (const auto& [paper, name, label] : {std::tuple{"stfn", "stfn-6", "TSN"},
                                           {"if_ttn", "if-ttn-5", "TSN(RGB+Optical flow)"},
                                           {"if_ttn", "if-ttn-6", "Two stream TSN"},
                                           {"if_ttn", "if-ttn-3", "Two-stream CNN"}}) {
    const std::string file = std::string("configs/papers/") + paper + ".toml";
    const std::vector<PaperTable> all = read_paper_tables(read_toml(std::string(ACTIO_SOURCE_DIR "/") + file), file);
    const PaperTable table = choose_tables(all, {name}).at(0);
    const auto row = std::ranges::find_if(table.rows, [&](const PaperRow& r) { return is_label_of(label, r); });
    ASSERT_NE(row, table.rows.end()) << label;
    std::vector<std::vector<FoldScores>> models;
    std::vector<double> weights;
    for (std::size_t i = 0; i < row->parts.size(); ++i) {
      // Evaluation gives these, or their softmax.
      models.push_back({{"split1", row->average == Average::kLogits ? tables_[i] : normalised(tables_[i], Normalisation::kSoftmax)}});
      weights.push_back(row->parts[i].weight);
    }
    const double top1 = measure_seed(1, fuse_folds(std::move(models), weights), true).top1;
    EXPECT_DOUBLE_EQ(std::round(1e4 * top1) / 100, 93.68) << name << " " << label;
  }
}

TEST_F(PublishedScores, gain_from_idt_at_the_weight_of_rgb) { EXPECT_DOUBLE_EQ(accuracy({1, 1.5, 1}), 93.81); }

TEST_F(PublishedScores, weights_found_on_some_groups_hold_on_the_others) {
  std::vector<std::size_t> found_on, told_on;
  for (std::size_t i = 0; i < tables_[0].paths.size(); ++i) {
    const std::string group = data::group_of_file_name(tables_[0].paths[i]).value();
    (group <= "g03" ? found_on : told_on).push_back(i);
  }
  ASSERT_GT(found_on.size(), 1000U);
  std::vector<ScoreTable> validation, test;
  for (const ScoreTable& table : tables_) {
    validation.push_back(rows_of(table, found_on));
    test.push_back(rows_of(table, told_on));
    check_disjoint(validation.back(), test.back(), ClipMatch::kPath);
  }
  const FoundWeights found = search_weights(validation);
  const auto on_test = [&](const std::vector<double>& weights) {
    return compute_metrics(fuse(test, weights).scores, test[0].labels).top1;
  };
  std::printf(
      "found on %lld clips: %.3f %.3f %.3f, %.2f %% there; on %zu others %.2f %%, with equal weights %.2f %%, 1:1.5:1 %.2f "
      "%%\n",
      static_cast<long long>(found.clips), found.weights[0], found.weights[1], found.weights[2], 100 * found.top1,
      told_on.size(), 100 * on_test(found.weights), 100 * on_test({1, 1, 1}), 100 * on_test({1, 1.5, 1}));
  EXPECT_GT(found.top1, found.top1_equal);
  EXPECT_GT(on_test(found.weights), on_test({1, 1, 1}) - 0.005);
}

}  // namespace
}  // namespace actio::eval
