// torch: trains a NetSpec. In: a network, its first weights, a dataset. Out: weights, and a record per epoch. This header
// shows no LibTorch, so that including it is cheap.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/preprocess.h"
#include "core/progress.h"
#include "core/tensor.h"
#include "data/dataset.h"
#include "net/netspec.h"

namespace actio::torch_train {

struct TrainOptions {
  std::int64_t epochs = 40;
  std::int64_t batch_size = 8;  // clips
  std::string optimizer = "sgd";
  double learning_rate = 0.001;
  double momentum = 0.9;
  double weight_decay = 5e-4;
  double head_learning_rate = 1.0;         // factor on the rate of the heads' linear layers
  std::string schedule = "steps";          // "steps", "cosine", "constant"
  std::vector<double> steps = {0.5, 0.8};  // shares of the epochs after which the rate is divided by 10
  double warmup_epochs = 0;                // the rate rises linearly over these
  double clip_gradient = 20;               // largest norm of the gradient; 0: no limit
  bool partial_bn = false;                 // freeze every batch norm but the first of each backbone (TSN)
  bool augment = true;                     // random segments and crops
  bool flip = true;                        // mirror half of the clips; off where left and right are part of the action
  bool bf16 = false;                       // convolutions in bfloat16
  std::int64_t seed = 1;
  std::int64_t workers = 2;         // loader threads
  std::int64_t threads = 0;         // of LibTorch; 0: one per core
  std::int64_t evaluate_every = 5;  // epochs; 0: only at the end
  Fields fields();
};

struct EpochRecord {
  std::int64_t epoch = 0;  // from 1
  double learning_rate = 0;
  double loss = 0;        // mean over the clips
  double train_top1 = 0;  // of the clips as augmented
  double test_top1 = -1;  // -1: not evaluated in this epoch
  double seconds = 0;
  double wait_share = 0;  // share of the time spent waiting for data
  double clips_per_second = 0;
};

struct TrainJob {
  net::NetSpec spec;
  Preprocess preprocess;
  std::vector<data::Item> train, test;  // test may be empty
  TrainOptions options;
  std::string flow_cache;  // folder of flow files (data/flow_cache.h); empty: none
  ProgressFn progress;  // within an epoch
  WarnFn warn;
  std::function<void(const EpochRecord&, const TensorMap& weights)> on_epoch;  // after each; the place to save
  std::stop_token stop;  // the running step is finished, then train() returns
};

struct TrainResult {
  std::vector<EpochRecord> epochs;
  bool interrupted = false;
  std::int64_t steps = 0;          // of the optimiser
  std::int64_t skipped_clips = 0;  // could not be read
};

// Trains `weights` in place. Throws: Error; a loss that is not finite names the batch's videos.
TrainResult train(const TrainJob& job, TensorMap& weights);

}  // namespace actio::torch_train
