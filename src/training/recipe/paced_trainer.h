// training: says how much of a training is left while it runs. In: a trainer, and what was estimated. Out: the same trainer's results.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "training/recipe/estimate.h"
#include "training/train.h"

namespace actio::training {

class PacedTrainer : public Trainer {
 public:
  // `folds` such trainings follow one another. `estimate` is asked once: by prepare(), or before the first training; `say` gets a line on it.
  PacedTrainer(Trainer& trainer, std::function<TimeEstimate()> estimate, std::int64_t folds, std::function<void(const std::string&)> say = {});

  void prepare();

  TrainResult train(const TrainJob& job, TensorMap& weights) override;
  std::optional<Answers> answers_to_test(const TrainJob& job, const TensorMap& weights) override;

  bool has_quick_bf16() const override { return trainer_.has_quick_bf16(); }
  bool has_cuda() const override { return trainer_.has_cuda(); }

  // Seconds. What was estimated counts as much as time has shown so far.
  double left() const;

 private:
  struct Planned {
    std::string network;
    double seconds = 0;
  };

  void begin(const std::string& network);
  void end();

  Trainer& trainer_;
  std::function<TimeEstimate()> estimate_;  // empty once it was asked
  std::int64_t folds_ = 1;
  std::function<void(const std::string&)> say_;
  std::vector<Planned> planned_;  // in order, what is done left out
  double done_estimated_ = 0, done_taken_ = 0;
  double running_ = 0;        // seconds estimated for the one that runs
  double before_ = 0;         // share of it that was done when it was gone on with
  double share_ = 0;          // that is done
  double taken_ = 0;          // seconds, up to the last whole epoch
};

}  // namespace actio::training
