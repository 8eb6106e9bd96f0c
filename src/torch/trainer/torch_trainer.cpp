#include "torch/trainer/torch_trainer.h"

#include "torch/graph/torch_compat.h"
#include "torch/trainer/job.h"

namespace actio::torch_train {

training::TrainResult TorchTrainer::train(const training::TrainJob& job, TensorMap& weights) {
  if (job.options.bf16 && job.options.device == training::Device::kCpu && !has_quick_bf16() && job.warn && !told_of_bf16_) {
    job.warn("bf16: this processor has no instructions for bfloat16; f32 is computed");
    told_of_bf16_ = true;
  }
  return torch_train::train({job, group_}, weights);
}

std::optional<training::Answers> TorchTrainer::answers_to_test(const training::TrainJob& job, const TensorMap& weights) {
  return torch_train::answers_to_test({job, group_}, weights);
}

bool TorchTrainer::has_quick_bf16() const { return torch_train::has_quick_bf16(); }

bool TorchTrainer::has_cuda() const { return torch_train::has_cuda(); }

}  // namespace actio::torch_train
