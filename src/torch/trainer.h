// torch: the training loop. In: a job, first weights and sources of batches. Out: weights, and a record per epoch.
#pragma once

#include "core/tensor.h"
#include "torch/batch_source.h"
#include "torch/train.h"

namespace actio::torch_train {

// As train(), with batches from elsewhere than job.train and job.test. `test` may be null.
TrainResult train_on(const TrainJob& job, TensorMap& weights, BatchSource& train, BatchSource* test);

}  // namespace actio::torch_train
