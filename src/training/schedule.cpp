#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace actio::training {

double rate_factor(const TrainOptions& options, double epochs_done) {
  const double total = static_cast<double>(std::max<std::int64_t>(1, options.epochs));
  double factor = 1;
  if (options.schedule == RateSchedule::kSteps) {
    for (const double step : options.steps) {
      // A share such as 0.3 of 10 epochs must not miss the end of epoch 3 by a rounding error.
      if (epochs_done >= step * total - 1e-9) factor /= 10;
    }
  } else if (options.schedule == RateSchedule::kCosine) {
    factor = 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, epochs_done / total)));
  }
  if (epochs_done < options.warmup_epochs) factor *= epochs_done / options.warmup_epochs;
  return factor;
}

void Schedule::finish_epoch(double loss) {
  constexpr double kBetter = 1 - 1e-3;
  if (options_.schedule != RateSchedule::kPlateau) return;
  if (best_ < 0 || loss < best_ * kBetter) {
    best_ = loss;
    waited_ = 0;
    return;
  }
  if (++waited_ < options_.patience) return;
  waited_ = 0;
  if (options_.learning_rate * fall_ / 10 >= options_.lowest_rate * kBetter) fall_ /= 10;
}

Json Schedule::state() const { return {{"fall", fall_}, {"best", best_}, {"waited", waited_}}; }

void Schedule::restore(const Json& state) {
  fall_ = state.at("fall").get<double>();
  best_ = state.at("best").get<double>();
  waited_ = state.at("waited").get<std::int64_t>();
}

}  // namespace actio::training
