#include "torch/train.h"

namespace actio::torch_train {

Fields TrainOptions::fields() {
  return {
      {"epochs", &epochs, "Passes over the training clips", {}, 1, 100000},
      {"batch_size", &batch_size, "Clips per step", {}, 1, 4096},
      {"optimizer", &optimizer, "How gradients change the weights", {"sgd"}},
      {"learning_rate", &learning_rate, "Rate at the beginning, after the warm-up", {}, 0, 100},
      {"momentum", &momentum, "Share of the last step that the next one keeps", {}, 0, 0.9999},
      {"weight_decay", &weight_decay, "Pull of every trainable weight towards zero", {}, 0, 10},
      {"head_learning_rate",
       &head_learning_rate,
       "Factor on the rate of the linear layers that feed the heads",
       {},
       0,
       1000},
      {"schedule", &schedule, "How the rate falls", {"steps", "cosine", "constant"}},
      {"steps", &steps, "With schedule steps: shares of the epochs after which the rate is divided by 10", {}, 0, 1},
      {"warmup_epochs", &warmup_epochs, "Epochs over which the rate rises from zero", {}, 0, 1000},
      {"clip_gradient", &clip_gradient, "Largest Euclidean norm of the gradient; 0: no limit", {}, 0, 1e9},
      {"partial_bn", &partial_bn, "Freeze every batch norm but the first of each backbone"},
      {"augment", &augment, "Random segments, and corner crops of several sizes"},
      {"flip", &flip, "With augment: mirror half of the clips; off where left and right are part of the action"},
      {"bf16", &bf16, "Convolutions in bfloat16; weights and statistics stay in f32"},
      {"seed", &seed, "Of the order, the augmentation and dropout: the same seed and threads repeat a training bit for bit"},
      {"workers", &workers, "Threads that read videos", {}, 1, 256},
      {"threads", &threads, "Threads that compute; 0: one per core", {}, 0, 1024},
      {"evaluate_every", &evaluate_every, "Epochs between tests; 0: only after the last", {}, 0, 100000},
  };
}

}  // namespace actio::torch_train
