// training: keeps small gradients from vanishing in half precision. In: whether a step's gradients were finite. Out: the factor on the
// next loss, by which the gradients are divided again.
#pragma once

#include <cstdint>

#include "core/json.h"

namespace actio::training {

// Without effect (a factor of 1) unless active. Factors are powers of two: they change no digit of a gradient.
// Source: Micikevicius et al., Mixed Precision Training, sec. 3.2, with the factor found while training.
class LossScale {
 public:
  explicit LossScale(bool active) : scale_(active ? 65536 : 1), active_(active) {}

  double value() const { return scale_; }

  // Whether gradients that are not finite may be due to the factor. The step is then left out, after fall().
  bool can_fall() const { return active_ && scale_ > 1; }
  void fall();

  // After a step whose gradients were finite; many of them raise the factor.
  void finish_step();

  Json state() const { return {{"scale", scale_}, {"steps", steps_}}; }
  void restore(const Json& state);

 private:
  double scale_;
  std::int64_t steps_ = 0;  // since it changed
  bool active_;
};

}  // namespace actio::training
