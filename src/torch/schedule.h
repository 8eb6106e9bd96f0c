// torch: how the learning rate changes over a training. In: options and a position. Out: a factor.
#pragma once

#include "torch/train.h"

namespace actio::torch_train {

// The factor on options.learning_rate after `epochs_done` of options.epochs epochs (a fraction within an epoch).
double rate_factor(const TrainOptions& options, double epochs_done);

}  // namespace actio::torch_train
