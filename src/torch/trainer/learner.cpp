#include "torch/trainer/learner.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "torch/trainer/class_weights.h"
#include "torch/graph/convert.h"
#include "torch/trainer/job_setup.h"
#include "torch/graph/torch_compat.h"
#include "training/mixup.h"

namespace actio::torch_train {
namespace {

// "a.mp4, b.mp4, c.mp4 and 5 more"
std::string paths_text(const std::vector<std::string>& paths) {
  constexpr std::size_t kShown = 8;
  if (paths.size() <= kShown) return fmt::format("{}", fmt::join(paths, ", "));
  return fmt::format("{} and {} more", fmt::join(paths.begin(), paths.begin() + kShown, ", "), paths.size() - kShown);
}

std::int64_t count_hits(const at::Tensor& output, const at::Tensor& labels) {
  return output.detach().argmax(1).eq(labels).sum().item<std::int64_t>();
}

}  // namespace

Learner::Learner(const TrainJob& job, const TensorMap& weights)
    : job_(job),
      options_(job.options),
      graph_(job.spec, weights, graph_options(job)),
      schedule_(job.options),
      loss_scale_(job.options.fp16),
      group_(job.group != nullptr && job.group->size() > 1 ? job.group : nullptr) {
  if (options_.partial_bn) graph_.freeze_batch_norms();
  graph_.freeze(options_.freeze);
  prepare_loss();
  optimizer_.emplace(graph_.parameters(), options_);
  average_.emplace(graph_.parameters(), options_.ema);
  if (group_ != nullptr) join_group();
}

void Learner::prepare_loss() {
  loss_.label_smoothing = options_.label_smoothing;
  loss_.teacher_weight = options_.teacher_weight;
  loss_.teacher_temperature = options_.teacher_temperature;
  if (options_.balance == training::Balance::kWeights) {
    loss_.class_weights = class_weights(job_.train, job_.spec).to(graph_.options().device);
  }
  for (const net::Head& head : job_.spec.heads) {
    if (!graph_.is_trainable(head.node)) loss_.frozen_heads.insert(head.name);
  }
  if (!job_.spec.heads.empty() && loss_.frozen_heads.size() == job_.spec.heads.size()) {
    fail_usage("freeze: no head of {} depends on anything that is left to train", job_.spec.name);
  }
  nodes_ = torch_train::loss_nodes(job_.spec);
}

void Learner::join_group() {
  std::vector<at::Tensor> all, trainable;
  for (const Parameter& parameter : graph_.parameters()) {
    all.push_back(parameter.tensor.detach());
    (parameter.info.trainable ? trainable : statistics_).push_back(parameter.tensor);
  }
  distributed::broadcast_all(*group_, all);
  reducer_.emplace(*group_, trainable);
}

std::optional<StepRecord> Learner::step(BatchSource& train, std::int64_t epoch, std::int64_t clips) {
  const double expected = static_cast<double>(options_.batch_size * options_.accumulate);
  std::vector<std::string> paths;
  std::optional<data::Batch> batch = train.next();
  if (!batch) return std::nullopt;
  StepRecord record;
  while (batch) {
    std::optional<data::Batch> following;
    if (record.batches + 1 < options_.accumulate) following = train.next();
    const auto count = static_cast<std::int64_t>(batch->labels.size());
    const double share = options_.accumulate == 1 ? 1 : static_cast<double>(count) / expected;
    if (reducer_) reducer_->set_enabled(!following);
    record.loss += backward(*batch, share, record.batches++, record.hits) * static_cast<double>(count);
    record.clips += count;
    paths.insert(paths.end(), batch->paths.begin(), batch->paths.end());
    batch = std::move(following);
  }
  if (reducer_) reducer_->finish();
  if (options_.accumulate > 1 && static_cast<double>(record.clips) != expected) {
    optimizer_->scale_gradients(expected / static_cast<double>(record.clips));
  }
  add_up_ranks(record);
  // The middle of the step, so that a warm-up does not begin with a rate of zero.
  const double middle = static_cast<double>(clips) + 0.5 * static_cast<double>(record.clips);
  const double share = std::min(1.0, middle / static_cast<double>(std::max<std::int64_t>(1, train.clips() * ranks())));
  record.gradient_norm = change_weights(static_cast<double>(epoch - 1) + share, paths);
  return record;
}

void Learner::add_up_ranks(StepRecord& record) {
  if (group_ == nullptr) return;
  const double stop = job_.stop.stop_requested() ? 1 : 0;
  const at::Tensor sums =
      at::tensor({record.loss, static_cast<double>(record.clips), static_cast<double>(record.hits), stop}, at::kDouble);
  group_->all_reduce_sum(sums);
  const double* sum = sums.data_ptr<double>();
  record.loss = sum[0];
  record.clips = static_cast<std::int64_t>(sum[1]);
  record.hits = static_cast<std::int64_t>(sum[2]);
  agreed_to_stop_ = sum[3] > 0;
}

// Returns: the share of each clip's own; 1 where clips stay as they are.
double Learner::mix(data::Batch& batch, std::int64_t part) const {
  const auto clips = static_cast<std::int64_t>(batch.labels.size());
  if (options_.mixup == 0 || clips < 2) return 1;
  Rng rng(step_seed(part), 1);
  const double own = training::draw_mixture(options_.mixup, rng);
  training::mix_with_next(batch.inputs, clips, own);
  return own;
}

// f32 [clips, classes]; undefined where there is no teacher.
at::Tensor Learner::teacher_of(const std::vector<std::string>& paths) const {
  if (job_.teacher.empty()) return {};
  std::vector<at::Tensor> rows;
  for (const std::string& path : paths) {
    const std::vector<float>& row = job_.teacher.at(path);
    rows.push_back(at::tensor(row));
  }
  return at::stack(rows).to(graph_.options().device);
}

double Learner::backward(data::Batch& batch, double share, std::int64_t part, std::int64_t& hits) {
  at::Generator dropout = make_generator(graph_.options().device, step_seed(part));
  const double own = mix(batch, part);
  const Graph::Values values =
      graph_.run(batch.inputs, nodes_,
                 {.training = true, .gradients = true, .dropout = &dropout, .sync_norm = options_.sync_bn ? group_ : nullptr});
  const at::Tensor labels = check_labels(job_.spec, values, batch.labels, batch.paths);
  const at::Tensor teacher = teacher_of(batch.paths);
  at::Tensor loss = total_loss(job_.spec, values, labels, loss_, teacher);
  if (own < 1) {
    const at::Tensor others = check_labels(job_.spec, values, training::labels_of_next(batch.labels), batch.paths);
    loss = loss * own + total_loss(job_.spec, values, others, loss_, teacher.defined() ? teacher.roll(-1, 0) : teacher) * (1 - own);
  }
  const auto number = loss.item<double>();
  if (!std::isfinite(number)) fail("the loss is {} in step {} for the videos {}", number, steps_, paths_text(batch.paths));
  try {
    const double factor = share * loss_scale_.value();
    (factor == 1 ? loss : loss * factor).backward();
  } catch (const c10::Error& error) {
    fail("{}: the gradient failed: {}", job_.spec.name, one_line(error));
  }
  hits += count_hits(values.at(job_.spec.output), labels);
  return number;
}

std::optional<double> Learner::change_weights(double epochs, const std::vector<std::string>& paths) {
  const double norm = optimizer_->gradient_norm() / loss_scale_.value();
  if (!std::isfinite(norm) && loss_scale_.can_fall()) {
    loss_scale_.fall();
    optimizer_->clear_gradients();
    ++steps_;
    return std::nullopt;
  }
  if (!std::isfinite(norm)) fail("the gradient is {} in step {} for the videos {}", norm, steps_, paths_text(paths));
  rate_ = schedule_.factor(epochs);
  if (loss_scale_.value() != 1) optimizer_->scale_gradients(1 / loss_scale_.value());
  loss_scale_.finish_step();
  optimizer_->step(rate_, norm);
  if (average_->active()) average_->update();
  ++steps_;
  return norm;
}

// Dropout depends on the seed, the step and the rank only, whatever else draws random numbers in this process.
std::uint64_t Learner::step_seed(std::int64_t part) const {
  Rng rng(static_cast<std::uint64_t>(options_.seed), static_cast<std::uint64_t>(steps_));
  std::uint64_t seed = rng.next();
  for (std::int64_t i = 0; i < part; ++i) seed = rng.next();
  return leads() ? seed : Rng(seed, static_cast<std::uint64_t>(group_->rank())).next();
}

void Learner::share_statistics() {
  if (group_ != nullptr) distributed::broadcast_all(*group_, statistics_);
}

void Learner::load(const TensorMap& weights) {
  const at::NoGradGuard guard;
  for (Parameter& parameter : graph_.parameters()) {
    parameter.tensor.copy_(to_torch(weights.at(parameter.info.name), parameter.info.name));
  }
}

void Learner::save(TensorMap& tensors, Json& progress) const {
  TensorMap weights;
  graph_.store(weights);
  for (auto& [name, tensor] : weights) tensors["weight." + name] = tensor;
  optimizer_->store(tensors);
  average_->store(tensors);
  progress["schedule"] = schedule_.state();
  progress["loss_scale"] = loss_scale_.state();
  progress["steps"] = steps_;
}

void Learner::restore(const TensorMap& tensors, const Json& progress) {
  TensorMap weights;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("weight.")) weights[name.substr(7)] = tensor;
  }
  load(weights);
  optimizer_->load(tensors);
  average_->load(tensors);
  schedule_.restore(progress.at("schedule"));
  loss_scale_.restore(progress.at("loss_scale"));
  steps_ = progress.at("steps").get<std::int64_t>();
}

}  // namespace actio::torch_train
