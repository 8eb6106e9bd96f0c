// torch: one step of training after another: loss, gradients, all-reduce, optimiser. In: a job, first weights, batches. Out: changed weights.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "training/batch_source.h"
#include "torch/distributed/group.h"
#include "torch/distributed/reducer.h"
#include "torch/trainer/ema.h"
#include "torch/graph/graph.h"
#include "training/loss_scale.h"
#include "torch/trainer/losses.h"
#include "torch/trainer/optimizer.h"
#include "training/schedule.h"
#include "torch/trainer/job.h"

namespace actio::torch_train {

// Of all ranks together, but for `batches`.
struct StepRecord {
  std::int64_t batches = 0, clips = 0, hits = 0;
  double loss = 0;                     // sum over the clips
  std::optional<double> gradient_norm;  // none where the loss scale fell and the weights stayed
};

class Learner {
 public:
  // Throws: Error(kUsage) where nothing is left to train; as Graph and find_device.
  Learner(const TrainJob& job, const TensorMap& weights);

  Graph& graph() { return graph_; }
  // Null for one rank.
  distributed::Group* group() const { return group_; }
  std::int64_t ranks() const { return group_ == nullptr ? 1 : group_->size(); }
  bool leads() const { return group_ == nullptr || group_->rank() == 0; }

  // Of the network, that the loss depends on.
  const std::vector<std::string>& loss_nodes() const { return nodes_; }
  // Of the loss that validation is judged by: the heads that are trained, without smoothing and class weights.
  const std::set<std::string>& frozen_heads() const { return loss_.frozen_heads; }
  std::int64_t steps() const { return steps_; }
  // Of the last step, with warm-up and schedule.
  double learning_rate() const { return options_.learning_rate * rate_; }
  // `epochs`: how many have passed, with a fraction.
  double learning_rate_at(double epochs) const { return options_.learning_rate * schedule_.factor(epochs); }
  // Of several ranks: what they agreed on in the last step.
  bool is_stopped() const { return group_ == nullptr ? job_.stop.stop_requested() : agreed_to_stop_; }

  // One step of the optimiser on the gradients of TrainOptions::accumulate batches, or of those that are left. `epoch` is the one that
  // runs, of which `clips` of all ranks are done. Returns: none at its end. Throws: Error where loss or gradient are not finite,
  // naming the videos, before the weights are touched.
  std::optional<StepRecord> step(BatchSource& train, std::int64_t epoch, std::int64_t clips);

  // `loss`: what a plateau is judged by.
  void finish_epoch(double loss) { schedule_.finish_epoch(loss); }
  // Makes the ranks' batch norms equal, each of which has seen other clips.
  void share_statistics();
  // Puts the averaged weights in the place of the trained ones, or these back (TrainOptions::ema).
  void swap_average() { average_->swap(); }

  void store(TensorMap& weights) const { graph_.store(weights); }
  void load(const TensorMap& weights);

  // What goes on from the same step: "weight.NAME", the optimiser's and the average's tensors; and numbers.
  void save(TensorMap& tensors, Json& progress) const;
  // Throws: std::out_of_range, Json::exception where something is missing.
  void restore(const TensorMap& tensors, const Json& progress);

 private:
  void prepare_loss();
  void join_group();
  double mix(data::Batch& batch, std::int64_t part) const;
  at::Tensor teacher_of(const std::vector<std::string>& paths) const;
  double backward(data::Batch& batch, double share, std::int64_t part, std::int64_t& hits);
  void add_up_ranks(StepRecord& record);
  std::optional<double> change_weights(double epochs, const std::vector<std::string>& paths);
  std::uint64_t step_seed(std::int64_t part) const;

  const TrainJob& job_;
  const TrainOptions& options_;
  Graph graph_;
  training::Schedule schedule_;
  training::LossScale loss_scale_;
  distributed::Group* group_ = nullptr;
  std::optional<distributed::Reducer> reducer_;
  std::vector<at::Tensor> statistics_;  // what no gradient changes
  bool agreed_to_stop_ = false;
  LossOptions loss_;
  std::vector<std::string> nodes_;
  std::optional<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
  double rate_ = 0;  // factor of the last step
  std::int64_t steps_ = 0;
};

}  // namespace actio::torch_train
