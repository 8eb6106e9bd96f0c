#include "training/recipe/paced_trainer.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace actio::training {

PacedTrainer::PacedTrainer(Trainer& trainer, std::function<TimeEstimate()> estimate, std::int64_t folds, std::function<void(const std::string&)> say)
    : trainer_(trainer), estimate_(std::move(estimate)), folds_(folds), say_(std::move(say)) {}

void PacedTrainer::prepare() {
  if (!estimate_) return;
  const TimeEstimate estimate = std::exchange(estimate_, {})();
  if (say_) {
    say_(fmt::format("estimated time: {}{}", duration_text(estimate.seconds() * static_cast<double>(folds_)),
                     folds_ > 1 ? fmt::format(" for {} folds", folds_) : ""));
  }
  for (std::int64_t fold = 0; fold < folds_; ++fold) {
    for (std::int64_t training = 0; training < estimate.trainings; ++training) {
      const double share = training == 0 ? 1 : estimate.inner_share;
      for (const StageTime& stage : estimate.stages) planned_.push_back({stage.network, stage.seconds * share});
    }
  }
}

// What comes before it in the plan was found done.
void PacedTrainer::begin(const std::string& network) {
  const auto found = std::ranges::find(planned_, network, &Planned::network);
  running_ = found == planned_.end() ? 0 : found->seconds;
  if (found != planned_.end()) planned_.erase(planned_.begin(), found + 1);
  before_ = share_ = taken_ = 0;
}

void PacedTrainer::end() {
  done_estimated_ += running_ * (share_ - before_);
  done_taken_ += taken_;
  running_ = before_ = share_ = taken_ = 0;
}

double PacedTrainer::left() const {
  double estimated = running_ * (1 - share_);
  for (const Planned& run : planned_) estimated += run.seconds;
  const double known = done_estimated_ + running_ * (share_ - before_);
  constexpr double kEnough = 5;  // seconds of it, to say more than the estimate
  return known < kEnough ? estimated : estimated * (done_taken_ + taken_) / known;
}

TrainResult PacedTrainer::train(const TrainJob& job, TensorMap& weights) {
  prepare();
  begin(job.spec.name);
  TrainJob own = job;
  const auto epochs = static_cast<double>(job.options.epochs);
  double done = job.resume ? static_cast<double>(job.resume->progress.at("epochs").size()) : 0;
  before_ = share_ = std::min(1.0, done / epochs);
  const auto start = std::chrono::steady_clock::now();
  own.on_epoch = [&](const EpochRecord& record, const TensorMap& model) {
    share_ = std::min(1.0, ++done / epochs);
    taken_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (job.on_epoch) job.on_epoch(record, model);
  };
  if (job.progress) {
    own.progress = [&](ProgressReport report) {
      report.note = fmt::format("{}{}{} left in all", report.note, report.note.empty() ? "" : ", ", duration_text(left()));
      job.progress(report);
    };
  }
  TrainResult result = trainer_.train(own, weights);
  end();
  return result;
}

std::optional<Answers> PacedTrainer::answers_to_test(const TrainJob& job, const TensorMap& weights) {
  return trainer_.answers_to_test(job, weights);
}

}  // namespace actio::training
