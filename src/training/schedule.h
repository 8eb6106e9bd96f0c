// training: how the learning rate changes over a training. In: options and a position. Out: a factor.
#pragma once

#include "training/train.h"

namespace actio::training {

// The factor on options.learning_rate after `epochs_done` of options.epochs epochs (a fraction within an epoch), as far as it
// follows from the position alone: schedule "plateau" has factor 1 here.
double rate_factor(const TrainOptions& options, double epochs_done);

class Schedule {
 public:
  explicit Schedule(const TrainOptions& options) : options_(options) {}

  double factor(double epochs_done) const { return fall_ * rate_factor(options_, epochs_done); }

  // With schedule "plateau": the rate falls where `loss` has not become better by a thousandth for options.patience epochs.
  void finish_epoch(double loss);

  Json state() const;
  void restore(const Json& state);

 private:
  const TrainOptions& options_;
  double fall_ = 1;
  double best_ = -1;  // -1: none yet
  std::int64_t waited_ = 0;
};

}  // namespace actio::training
