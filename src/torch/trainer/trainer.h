// torch: the training loop. In: a job, first weights and sources of batches. Out: weights, and a record per epoch.
#pragma once

#include <memory>

#include "core/tensor.h"
#include "training/batch_source.h"
#include "torch/trainer/job.h"

namespace actio::torch_train {

struct Sources {
  std::unique_ptr<BatchSource> train, validation, test;  // the last two may be null
};

// As train(), with batches from elsewhere than the job's items.
TrainResult train_on(const TrainJob& job, TensorMap& weights, Sources sources);

// The same with sources that stay the caller's. `test` may be null.
TrainResult train_on(const TrainJob& job, TensorMap& weights, BatchSource& train, BatchSource* test);

}  // namespace actio::torch_train
