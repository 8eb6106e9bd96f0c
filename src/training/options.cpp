#include "core/error.h"
#include "training/train.h"

namespace actio::training {

Fields TrainOptions::fields() {
  return {
      {"epochs", &epochs, "Passes over the training clips", {}, 1, 100000},
      {"batch_size", &batch_size, "Clips per step", {}, 1, 4096},
      {"accumulate", &accumulate, "Batches whose gradients make one step", {}, 1, 4096},
      choice_field("optimizer", &optimizer, "How gradients change the weights"),
      {"learning_rate", &learning_rate, "Rate at the beginning, after the warm-up", {}, 0, 100},
      {"momentum", &momentum, "Share of the last step that the next one keeps; adamw: of the gradient's mean", {}, 0, 0.9999},
      {"rmsprop_decay", &rmsprop_decay, "With optimizer rmsprop: share of the running mean of squares that a step keeps", {}, 0, 0.9999},
      {"weight_decay", &weight_decay, "Pull of every trainable weight towards zero", {}, 0, 10},
      {"head_learning_rate",
       &head_learning_rate,
       "Factor on the rate of the linear layers that feed the heads",
       {},
       0,
       1000},
      choice_field("schedule", &schedule, "How the rate falls"),
      {"steps", &steps, "With schedule steps: shares of the epochs after which the rate is divided by 10", {}, 0, 1},
      {"patience",
       &patience,
       "With schedule plateau: epochs without a better loss (of the validation part, if any) after which the rate is divided by 10",
       {},
       1,
       100000},
      {"lowest_rate", &lowest_rate, "With schedule plateau: the rate falls no further", {}, 0, 100},
      {"warmup_epochs", &warmup_epochs, "Epochs over which the rate rises from zero", {}, 0, 1000},
      {"clip_gradient", &clip_gradient, "Largest Euclidean norm of the gradient; 0: no limit", {}, 0, 1e9},
      {"label_smoothing", &label_smoothing, "Share of the target that all classes divide among them", {}, 0, 0.9},
      {"mixup", &mixup, "Learn from mixtures of two clips, shares drawn from Beta(mixup, mixup) (Zhang et al. 2018); 0: none", {}, 0, 2},
      {"teacher",
       &teacher,
       "Score file in which another model, often of a motion source that is too slow to run, answers the clips to learn from (actio evaluate "
       "--part train); its answers are learned beside the labels. Empty: none"},
      {"teacher_weight", &teacher_weight, "With teacher: its share in the loss", {}, 0, 1},
      {"teacher_temperature", &teacher_temperature, "With teacher: divides the scores of both models where they are compared", {}, 0.1, 100},
      choice_field("balance", &balance, "Classes of different size: weights in the loss, or sampling of each class equally often"),
      {"ema", &ema, "Decay of a running average of the weights, which is then the model; 0: none", {}, 0, 0.999999},
      {"early_stop", &early_stop, "Epochs without a better model after which training ends; 0: never", {}, 0, 100000},
      {"freeze", &freeze, "Parts that stay as they are, by the beginning of their nodes' names: rgb, motion, rgb.features"},
      {"train_segments",
       &train_segments,
       "Segments of a clip while training, for networks that classify every snippet alone; 0: the network's, which tests always have",
       {},
       0,
       64},
      {"cache_views",
       &cache_views,
       "With freeze: augmented looks at each clip whose frozen features are computed once and kept; 0: none",
       {},
       0,
       10000},
      {"cache_gigabytes", &cache_gigabytes, "Memory for them, at most", {}, 0, 1e6},
      {"partial_bn", &partial_bn, "Freeze every batch norm of a stream but its first (TSN); those of a TTN always learn"},
      {"augment", &augment, "Random segments, and corner crops of several sizes"},
      choice_field("crop_pairs", &crop_pairs,
                   "With augment: width and height of a crop at most one step apart among the four sizes (TSN), or each drawn "
                   "alone (STFN)"),
      {"flip", &flip, "With augment: mirror half of the clips; off where left and right are part of the action"},
      {"bf16", &bf16, "Convolutions in bfloat16; weights and statistics stay in f32"},
      {"fp16", &fp16, "On CUDA: convolutions in half precision with a scaled loss, for devices that lack bfloat16"},
      {"seed", &seed, "Of the order, the augmentation and dropout: the same seed and threads repeat a training bit for bit"},
      {"workers", &workers, "Threads that read videos", {}, 1, 256},
      {"threads", &threads, "Threads that compute; 0: one per core", {}, 0, 1024},
      choice_field("device", &device, "Where the network is computed; cuda needs a LibTorch that has it"),
      {"sync_bn", &sync_bn, "Of several processes: batch norms use the statistics of all their batches together"},
      {"tf32", &tf32, "On CUDA: f32 products with 10 bits of mantissa, which is several times as fast"},
      {"evaluate_every", &evaluate_every, "Epochs between tests; 0: only after the last", {}, 0, 100000},
      choice_field("fit_heads", &fit_heads,
                   "Weights and temperatures of the heads in the prediction, from clips that were not learned from: none (they stay), the "
                   "validation part, or inner: parts of the training clips that are left out in turn, which trains fit_parts times more"),
      {"fit_parts", &fit_parts, "With fit_heads inner: into how many parts", {}, 2, 20},
      {"save_minutes", &save_minutes, "Minutes between savings of the state within an epoch; 0: only after epochs", {}, 0, 1e6},
  };
}

Fields EpochRecord::fields() {
  return {
      {"epoch", &epoch, ""},
      {"learning_rate", &learning_rate, ""},
      {"loss", &loss, ""},
      {"train_top1", &train_top1, ""},
      {"validation_loss", &validation_loss, ""},
      {"validation_top1", &validation_top1, ""},
      {"test_top1", &test_top1, ""},
      {"gradient_norm", &gradient_norm, ""},
      {"seconds", &seconds, ""},
      {"wait_share", &wait_share, ""},
      {"clips_per_second", &clips_per_second, ""},
      {"best", &best, ""},
  };
}

void check_train_segments(const net::NetSpec& spec, std::int64_t segments) {
  if (segments == 0 || segments == spec.segments) return;
  for (const net::Node& node : spec.nodes) {
    if (node.op != net::Op::kSegmentDiff && node.op != net::Op::kSegmentStack) continue;
    fail_usage("train_segments: {} compares its {} segments in '{}' and cannot be trained on {}", spec.name, spec.segments, node.name,
               segments);
  }
}

void check_options(const TrainOptions& options) {
  if (options.fp16 && options.bf16) fail_usage("bf16 and fp16 exclude each other");
  if (options.mixup > 0 && options.mixup < 0.01) fail_usage("mixup: must be 0 or from 0.01 to 2, got {}", options.mixup);
  if (options.fp16 && options.device == Device::kCpu) fail_usage("fp16: needs --device cuda; on the CPU there is --bf16");
}

}  // namespace actio::training
