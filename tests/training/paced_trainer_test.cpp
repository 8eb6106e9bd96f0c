#include "training/recipe/paced_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace actio::training {
namespace {

using ::testing::ElementsAre;

// Takes a few milliseconds for each epoch.
class SlowTrainer : public Trainer {
 public:
  TrainResult train(const TrainJob& job, TensorMap&) override {
    for (std::int64_t epoch = 1; epoch <= job.options.epochs; ++epoch) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (job.progress) job.progress({"epoch", epoch, job.options.epochs, ""});
      job.on_epoch({.epoch = epoch}, {});
    }
    return {};
  }
  std::optional<Answers> answers_to_test(const TrainJob&, const TensorMap&) override { return std::nullopt; }
};

TEST(PacedTrainer, knows_what_is_left_of_the_stages_and_of_the_trainings_for_the_heads) {
  SlowTrainer slow;
  TimeEstimate estimate;
  estimate.stages = {{"a", 100}, {"b", 20}};
  estimate.trainings = 3;  // the model's and two with half of the clips
  estimate.inner_share = 0.5;
  EXPECT_DOUBLE_EQ(estimate.seconds(), 240);
  std::vector<std::string> said;
  PacedTrainer paced(slow, [&] { return estimate; }, 2, [&](const std::string& line) { said.push_back(line); });
  paced.prepare();
  paced.prepare();
  EXPECT_THAT(said, ElementsAre("estimated time: about 8 minutes for 2 folds"));
  EXPECT_DOUBLE_EQ(paced.left(), 480);

  TrainJob job;
  job.spec.name = "a";
  job.options.epochs = 4;
  std::vector<std::string> notes;
  job.progress = [&](const ProgressReport& report) { notes.push_back(report.note); };
  std::int64_t epochs = 0;
  job.on_epoch = [&](const EpochRecord&, const TensorMap&) { ++epochs; };
  TensorMap weights;
  paced.train(job, weights);
  EXPECT_EQ(epochs, 4) << "the job's own callback is called, too";
  EXPECT_EQ(notes.front(), "about 8 minutes left in all");
  EXPECT_LT(paced.left(), 5) << "a hundred estimated seconds took a few hundredths, so the rest will";
}

TEST(PacedTrainer, leaves_out_of_its_plan_what_was_trained_before) {
  SlowTrainer slow;
  PacedTrainer paced(slow, [] { return TimeEstimate{.stages = {{"a", 1000}, {"b", 2}}, .trainings = 1, .inner_share = 1}; }, 1);
  TrainJob job;
  job.spec.name = "b";
  job.options.epochs = 1;
  job.on_epoch = [](const EpochRecord&, const TensorMap&) {};
  TensorMap weights;
  paced.train(job, weights);
  EXPECT_EQ(paced.left(), 0);
}

TEST(PacedTrainer, tells_times_as_people_do) {
  EXPECT_EQ(duration_text(0.2), "about 1 second");
  EXPECT_EQ(duration_text(42), "about 42 seconds");
  EXPECT_EQ(duration_text(400), "about 7 minutes");
  EXPECT_EQ(duration_text(3 * 3600), "about 3 hours");
}

}  // namespace
}  // namespace actio::training
