#include "training/teacher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "eval/score_file.h"
#include "support/temp_dir.h"

namespace actio::training {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TempDir;

data::Item item(const std::string& path, const std::string& label) {
  data::Item item;
  item.path = path;
  item.label = label;
  return item;
}

// Two clips, classes in another order than the data's.
std::string scores_in(const TempDir& dir, eval::ScoreKind kind, const std::vector<float>& values) {
  eval::ScoreTable table;
  table.source = "t";
  table.paths = {"a.avi", "b.avi"};
  table.labels = {0, 1};
  table.classes = {"kick", "hug"};
  table.kind = kind;
  table.scores = Tensor::of({2, 2}, values);
  const std::string path = dir / "scores.csv";
  eval::write_scores(path, table);
  return path;
}

std::string refusal(const std::string& path, const std::vector<std::string>& classes, const std::vector<data::Item>& clips) {
  try {
    teacher_answers(path, 1, classes, clips);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(Teacher, answers_in_the_order_of_the_datas_classes) {
  const TempDir dir;
  const std::string path = scores_in(dir, eval::ScoreKind::kProbabilities, {0.8F, 0.2F, 0.4F, 0.6F});
  const TeacherAnswers answers = teacher_answers(path, 1, {"hug", "kick"}, {item("b.avi", "hug")});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_NEAR(answers.at("b.avi")[0], 0.6, 1e-6);
  EXPECT_NEAR(answers.at("b.avi")[1], 0.4, 1e-6);
}

// sqrt(0.8) : sqrt(0.2) = 2 : 1
TEST(Teacher, is_less_sure_the_higher_the_temperature) {
  const TempDir dir;
  const std::vector<data::Item> clips = {item("a.avi", "kick")};
  const std::string path = scores_in(dir, eval::ScoreKind::kProbabilities, {0.8F, 0.2F, 1.0F, 0.0F});
  EXPECT_NEAR(teacher_answers(path, 2, {"kick", "hug"}, clips).at("a.avi")[0], 2.0 / 3, 1e-6);
  const TeacherAnswers certain = teacher_answers(path, 2, {"kick", "hug"}, {item("b.avi", "hug")});
  EXPECT_NEAR(certain.at("b.avi")[0], 1, 1e-5);
  EXPECT_TRUE(std::isfinite(certain.at("b.avi")[1]));
}

TEST(Teacher, takes_scores_for_logits_where_they_cannot_be_probabilities) {
  const TempDir dir;
  const std::string path = scores_in(dir, eval::ScoreKind::kUnknown, {2, 0, -1, 5});
  EXPECT_NEAR(teacher_answers(path, 1, {"kick", "hug"}, {item("a.avi", "kick")}).at("a.avi")[0], 1 / (1 + std::exp(-2.0)), 1e-6);
}

TEST(Teacher, has_to_know_every_clip_and_every_class) {
  const TempDir dir;
  const std::string path = scores_in(dir, eval::ScoreKind::kProbabilities, {0.8F, 0.2F, 0.4F, 0.6F});
  EXPECT_THAT(refusal(path, {"kick", "hug"}, {item("a.avi", "kick"), item("c.avi", "hug"), item("d.avi", "hug")}),
              AllOf(HasSubstr("scores.csv: has no scores of 2 of 3 clips"), HasSubstr("c.avi")));
  EXPECT_THAT(refusal(path, {"kick", "push"}, {item("a.avi", "kick")}), HasSubstr("has no scores of the class 'push'"));
  EXPECT_THAT(refusal(path, {"kick", "hug", "push"}, {item("a.avi", "kick")}), HasSubstr("has scores of 2 classes, the data have 3"));
}

}  // namespace
}  // namespace actio::training
