#include "training/loss_scale.h"

#include <algorithm>

namespace actio::training {
namespace {

constexpr std::int64_t kPatience = 2000;  // steps
constexpr double kLargest = 1 << 24;

}  // namespace

void LossScale::fall() {
  scale_ = std::max(1.0, scale_ / 2);
  steps_ = 0;
}

void LossScale::finish_step() {
  if (!active_ || ++steps_ < kPatience) return;
  scale_ = std::min(kLargest, scale_ * 2);
  steps_ = 0;
}

void LossScale::restore(const Json& state) {
  scale_ = state.at("scale").get<double>();
  steps_ = state.at("steps").get<std::int64_t>();
}

}  // namespace actio::training
