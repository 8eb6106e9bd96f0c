// training: what a training is, whoever does it. In: a network, its first weights, clips. Out: weights, and a record per epoch.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "core/inputs.h"
#include "core/progress.h"
#include "core/tensor.h"
#include "data/dataset.h"
#include "data/read_limits.h"
#include "net/netspec.h"
#include "training/choices.h"
#include "training/teacher.h"

namespace actio::training {

struct TrainOptions {
  static constexpr std::string_view kTable = "train";

  std::int64_t epochs = 40;
  std::int64_t batch_size = 8;  // clips
  std::int64_t accumulate = 1;  // batches per step
  StepRule optimizer = StepRule::kSgd;
  double learning_rate = 0.001;
  double momentum = 0.9;
  double rmsprop_decay = 0.99;  // share of the running mean of squares that a step keeps
  double weight_decay = 5e-4;
  double head_learning_rate = 1.0;         // factor on the rate of the heads' linear layers
  RateSchedule schedule = RateSchedule::kSteps;
  std::vector<double> steps = {0.5, 0.8};  // shares of the epochs after which the rate is divided by 10
  std::int64_t patience = 10;              // plateau: epochs without a better loss after which the rate is divided by 10
  double lowest_rate = 1e-7;               // plateau: the rate falls no further
  double warmup_epochs = 0;                // the rate rises linearly over these
  double clip_gradient = 20;               // largest norm of the gradient; 0: no limit
  double label_smoothing = 0;              // share of the target that all classes divide among them
  double mixup = 0;                        // strength of the mixing of clips; 0: none
  std::string teacher;                     // score file of a model to learn from; empty: none
  double teacher_weight = 0.5;             // share of its answers in the loss; the labels have the rest
  double teacher_temperature = 2;          // divides both models' scores where they are compared
  Balance balance = Balance::kNone;
  double ema = 0;                          // decay of the averaged weights, which are then the model; 0: none
  std::int64_t early_stop = 0;             // epochs without a better model after which training ends; 0: never
  std::vector<std::string> freeze;         // prefixes of nodes that stay as they are: "rgb", "motion"
  std::int64_t train_segments = 0;         // snippets of a training clip; 0: as many as the network has, which tests always take
  std::int64_t cache_views = 0;            // augmented looks at each clip whose frozen features are kept; 0: none are kept
  double cache_gigabytes = 4;              // at most, for them
  bool partial_bn = false;                 // freeze every batch norm of a stream but its first (TSN)
  bool augment = true;                     // random segments and crops
  CropPairs crop_pairs = CropPairs::kNear;
  bool flip = true;                        // mirror half of the clips; off where left and right are part of the action
  bool bf16 = false;                       // convolutions in bfloat16
  bool fp16 = false;                       // on CUDA: convolutions in half precision
  std::int64_t seed = 1;
  std::int64_t workers = 2;         // loader threads
  std::int64_t threads = 0;         // of LibTorch; 0: one per core
  Device device = Device::kCpu;
  bool sync_bn = false;             // of several ranks: batch norms use the statistics of all their batches together
  bool tf32 = true;                 // on CUDA: f32 products with 10 bits of mantissa
  std::int64_t evaluate_every = 5;  // epochs; 0: only at the end
  HeadFit fit_heads = HeadFit::kNone;
  std::int64_t fit_parts = 3;       // with kInner
  double save_minutes = 10;         // between savings of the state within an epoch; 0: only after epochs
  Fields fields();
};

struct EpochRecord {
  std::int64_t epoch = 0;  // from 1
  double learning_rate = 0;
  double loss = 0;                // mean over the clips
  double train_top1 = 0;          // of the clips as augmented
  double validation_loss = -1;    // -1: there is no validation part
  double validation_top1 = -1;
  double test_top1 = -1;          // -1: not evaluated in this epoch
  double gradient_norm = 0;       // mean over the steps, before clipping
  double seconds = 0;
  double wait_share = 0;  // share of the time spent waiting for data
  double clips_per_second = 0;
  bool best = false;  // the best model so far
  Fields fields();
};

// A model's answers to clips.
struct Answers {
  std::vector<std::string> paths;
  std::vector<std::int64_t> labels;
  Tensor probabilities;  // f32 [N, classes]
  Tensor scores;         // f32 [N, classes], before softmax where the network has logits
  std::vector<Tensor> heads;  // f32 [N, classes]: logits of each of net::fused_heads
  double loss = 0;       // mean over the clips
  double top1 = 0;
};

// All that a training needs to go on exactly where it was.
struct TrainState {
  Json progress;
  TensorMap tensors;
};

struct TrainJob {
  net::NetSpec spec;
  Inputs inputs;  // those of the network, and how a clip becomes them
  // On what weights are learned; which model is best, where the rate falls; what is only reported. The last two may be empty.
  std::vector<data::Item> train, validation, test;
  TrainOptions options;
  TeacherAnswers teacher;  // to all of `train`, at options.teacher_temperature; empty: none
  std::string flow_cache;  // folder of flow files (data/flow_cache.h); empty: none
  data::ReadLimits limits;
  ProgressFn progress;  // within an epoch
  WarnFn warn;
  std::function<void(const EpochRecord&, const TensorMap& weights)> on_epoch;  // after each, with the model so far
  // Where what was learned is saved: after each epoch but the last, unless that would take more than a twentieth of the time,
  // now and then within a long one, and when stopped. With the model so far.
  std::function<void(const TrainState&, const TensorMap& weights)> on_state;
  std::function<void(std::int64_t step, double loss, double learning_rate)> on_step;
  std::optional<TrainState> resume;
  std::stop_token stop;  // the running step is finished, then train() returns
};

struct TrainResult {
  std::vector<EpochRecord> epochs;
  bool interrupted = false;
  bool stopped_early = false;
  std::int64_t steps = 0;          // of the optimiser
  std::int64_t replaced_clips = 0;  // to train on, that could not be read
  std::int64_t untested_clips = 0;  // of the other parts, that could not be read
  std::optional<Answers> test;     // of the model that `weights` then are
  TensorMap last_weights;          // of the last epoch, where `weights` are those of a better one
};

// Options that exclude each other. Throws: Error(kUsage).
void check_options(const TrainOptions& options);

// Whether the network can be trained on another number of segments than it has; 0: no other. Throws: Error(kUsage) where it is not
// made of single snippets.
void check_train_segments(const net::NetSpec& spec, std::int64_t segments);

// Where several processes train together, batch_size is that of each, and the job's callbacks are called on rank 0 alone.
class Trainer {
 public:
  virtual ~Trainer() = default;

  // Trains `weights` in place: at the end they are the best model where there is a validation part, else the last one. The same
  // job gives the same weights bit for bit, in one go or resumed from any of its states.
  // Throws: Error; a loss that is not finite names the batch's videos.
  virtual TrainResult train(const TrainJob& job, TensorMap& weights) = 0;

  // What a model says to the job's test part; empty where there is none, or when told to stop.
  virtual std::optional<Answers> answers_to_test(const TrainJob& job, const TensorMap& weights) = 0;

  // Whether convolutions in bfloat16 are faster on this processor.
  virtual bool has_quick_bf16() const { return false; }

  // Whether there is a device for Device::kCuda.
  virtual bool has_cuda() const { return false; }
};

}  // namespace actio::training
