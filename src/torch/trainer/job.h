// torch: a training as this module does it: the job, and the group of processes that do it together.
#pragma once

#include <optional>

#include "training/batch_source.h"
#include "training/train.h"

namespace actio::torch_train {

namespace distributed {
class Group;
}

using training::Answers;
using training::BatchSource;
using training::EpochRecord;
using training::TrainOptions;
using training::TrainResult;
using training::TrainState;

struct TrainJob : training::TrainJob {
  distributed::Group* group = nullptr;  // null: this process alone
};

// As training::Trainer's members.
TrainResult train(const TrainJob& job, TensorMap& weights);
std::optional<Answers> answers_to_test(const TrainJob& job, const TensorMap& weights);

}  // namespace actio::torch_train
