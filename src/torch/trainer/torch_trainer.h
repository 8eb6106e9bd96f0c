// torch: LibTorch as the one who trains. This header shows no LibTorch, so that including it is cheap.
#pragma once

#include "training/train.h"

namespace actio::torch_train {

namespace distributed {
class Group;
}

class TorchTrainer final : public training::Trainer {
 public:
  // `group`: the processes that train together; null: this one alone. Owns: nothing of it.
  explicit TorchTrainer(distributed::Group* group = nullptr) : group_(group) {}

  training::TrainResult train(const training::TrainJob& job, TensorMap& weights) override;
  std::optional<training::Answers> answers_to_test(const training::TrainJob& job, const TensorMap& weights) override;
  bool has_quick_bf16() const override;
  bool has_cuda() const override;

 private:
  distributed::Group* group_;
  bool told_of_bf16_ = false;
};

}  // namespace actio::torch_train
