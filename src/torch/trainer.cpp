#include "torch/trainer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "torch/class_weights.h"
#include "torch/convert.h"
#include "torch/distributed/group.h"
#include "torch/distributed/reducer.h"
#include "torch/ema.h"
#include "torch/feature_source.h"
#include "torch/gather.h"
#include "torch/graph.h"
#include "torch/loss_scale.h"
#include "torch/losses.h"
#include "torch/optimizer.h"
#include "torch/schedule.h"
#include "torch/tester.h"
#include "torch/torch_compat.h"

namespace actio::torch_train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  return whole >= 60 ? fmt::format("{} min {:02} s", whole / 60, whole % 60) : fmt::format("{} s", whole);
}

// "a.mp4, b.mp4, c.mp4 and 5 more"
std::string paths_text(const std::vector<std::string>& paths) {
  constexpr std::size_t kShown = 8;
  if (paths.size() <= kShown) return fmt::format("{}", fmt::join(paths, ", "));
  return fmt::format("{} and {} more", fmt::join(paths.begin(), paths.begin() + kShown, ", "), paths.size() - kShown);
}

std::int64_t count_hits(const at::Tensor& output, const at::Tensor& labels) {
  return output.detach().argmax(1).eq(labels).sum().item<std::int64_t>();
}

// How far an epoch is.
struct Position {
  std::int64_t epoch = 1;
  std::int64_t batches = 0, clips = 0, steps = 0, hits = 0;
  double loss = 0;   // sum over the clips
  double norms = 0;  // sum over the steps
  double seconds = 0, waited = 0;

  Fields fields() {
    return {{"epoch", &epoch, ""}, {"batches", &batches, ""}, {"clips", &clips, ""},     {"steps", &steps, ""}, {"hits", &hits, ""},
            {"loss", &loss, ""},   {"norms", &norms, ""},     {"seconds", &seconds, ""}, {"waited", &waited, ""}};
  }
};

// The best model so far.
struct Best {
  std::int64_t epoch = 0;
  double top1 = -1, loss = 0;

  Fields fields() { return {{"epoch", &epoch, ""}, {"top1", &top1, ""}, {"loss", &loss, ""}}; }
};

GraphOptions graph_options(const TrainJob& job) {
  GraphOptions graph;
  graph.device = find_device(job.options.device, job.group == nullptr ? 0 : job.group->local_rank());
  if (graph.device.is_cuda()) set_up_cuda(job.options.tf32);
  return graph;
}

class Trainer {
 public:
  Trainer(const TrainJob& job, TensorMap& weights, Sources sources)
      : job_(job),
        options_(job.options),
        weights_(weights),
        sources_(std::move(sources)),
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
    if (options_.cache_views > 0) keep_features();
    try {
      if (job.resume) restore(*job.resume);
    } catch (const std::out_of_range&) {
      fail_data("the state lacks a tensor of {}", job.spec.name);
    } catch (const Json::exception& error) {
      fail_data("the state is damaged: {}", error.what());
    }
  }

  TrainResult run() {
    started_ = saved_ = Clock::now();
    while (position_.epoch <= options_.epochs && !result_.interrupted && !result_.stopped_early) {
      train_epoch();
      if (!result_.interrupted) finish_epoch();
    }
    finish();
    return std::move(result_);
  }

 private:
  void prepare_loss() {
    loss_.label_smoothing = options_.label_smoothing;
    if (options_.balance == "weights") loss_.class_weights = class_weights(job_.train, job_.spec).to(graph_.options().device);
    for (const net::Head& head : job_.spec.heads) {
      if (!graph_.is_trainable(head.node)) loss_.frozen_heads.insert(head.name);
    }
    if (!job_.spec.heads.empty() && loss_.frozen_heads.size() == job_.spec.heads.size()) {
      fail_usage("freeze: no head of {} depends on anything that is left to train", job_.spec.name);
    }
    nodes_ = loss_nodes(job_.spec);
  }

  void join_group() {
    std::vector<at::Tensor> all, trainable;
    for (const Parameter& parameter : graph_.parameters()) {
      all.push_back(parameter.tensor.detach());
      (parameter.info.trainable ? trainable : statistics_).push_back(parameter.tensor);
    }
    distributed::broadcast_all(*group_, all);
    reducer_.emplace(*group_, trainable);
  }

  std::int64_t ranks() const { return group_ == nullptr ? 1 : group_->size(); }
  bool leads() const { return group_ == nullptr || group_->rank() == 0; }

  // The frozen part is run once for each look at a clip.
  void keep_features() {
    FeatureOptions features;
    std::vector<std::string> nodes = nodes_;
    nodes.push_back(job_.spec.scores.empty() ? job_.spec.output : job_.spec.scores);
    features.nodes = graph_.frozen_boundary(nodes);
    features.gigabytes = options_.cache_gigabytes;
    features.seed = static_cast<std::uint64_t>(options_.seed);
    features.progress = job_.progress;
    features.warn = job_.warn;
    const auto wrap = [&](std::unique_ptr<BatchSource>& source, const char* what) {
      if (!source) return;
      features.what = what;
      features.batch_size = std::max<std::int64_t>(1, std::min(options_.batch_size, source->clips() / features.shards));
      source = std::make_unique<FeatureSource>(graph_, std::move(source), features);
    };
    features.shuffle = false;
    wrap(sources_.validation, "validation");
    wrap(sources_.test, "test");
    features.views = options_.augment ? options_.cache_views : 1;
    features.shuffle = features.drop_last = true;
    features.balanced = options_.balance == "sampling";
    features.bf16 = options_.bf16;
    features.fp16 = options_.fp16;
    features.shards = ranks();
    features.shard = group_ == nullptr ? 0 : group_->rank();
    wrap(sources_.train, "training");
  }

  void train_epoch() {
    const auto start = Clock::now();
    const double waited = sources_.train->wait_seconds();
    const double seconds_before = position_.seconds, waited_before = position_.waited;
    if (position_.batches == 0) sources_.train->start_epoch(position_.epoch);
    else sources_.train->continue_epoch(position_.epoch, position_.batches);
    graph_.set_precision(options_.bf16, options_.fp16);
    while (!is_stopped() && step()) {
      position_.seconds = seconds_before + seconds_since(start);
      position_.waited = waited_before + sources_.train->wait_seconds() - waited;
      if (options_.save_minutes > 0 && !is_stopped() && seconds_since(saved_) > 60 * options_.save_minutes) save();
    }
    result_.interrupted = is_stopped();
    if (result_.interrupted) return;
    if (position_.clips == 0) fail("epoch {}: no training clip could be read", position_.epoch);
    position_.seconds = seconds_before + seconds_since(start);
    position_.waited = waited_before + sources_.train->wait_seconds() - waited;
  }

  // Of several ranks: what they agreed on after the last step.
  bool is_stopped() const { return group_ == nullptr ? job_.stop.stop_requested() : agreed_to_stop_; }

  // One step of the optimiser on the gradients of options_.accumulate batches, or of those that are left. False at the end of
  // the epoch. Throws before the weights are touched.
  bool step() {
    const double expected = static_cast<double>(options_.batch_size * options_.accumulate);
    std::vector<std::string> paths;
    double loss = 0;
    std::int64_t clips = 0, hits = 0, part = 0;
    std::optional<data::Batch> batch = sources_.train->next();
    if (!batch) return false;
    while (batch) {
      std::optional<data::Batch> following;
      if (part + 1 < options_.accumulate) following = sources_.train->next();
      const auto count = static_cast<std::int64_t>(batch->labels.size());
      const double share = options_.accumulate == 1 ? 1 : static_cast<double>(count) / expected;
      if (reducer_) reducer_->set_enabled(!following);
      loss += backward(*batch, share, part++, hits) * static_cast<double>(count);
      clips += count;
      ++position_.batches;
      paths.insert(paths.end(), batch->paths.begin(), batch->paths.end());
      batch = std::move(following);
    }
    if (reducer_) reducer_->finish();
    if (options_.accumulate > 1 && static_cast<double>(clips) != expected) optimizer_->scale_gradients(expected / static_cast<double>(clips));
    add_up_ranks(loss, clips, hits);
    change_weights(clips, paths);
    position_.clips += clips;
    position_.loss += loss;
    position_.hits += hits;
    clips_seen_ += clips;
    report(loss / static_cast<double>(clips));
    return true;
  }

  void add_up_ranks(double& loss, std::int64_t& clips, std::int64_t& hits) {
    if (group_ == nullptr) return;
    const double stop = job_.stop.stop_requested() ? 1 : 0;
    const at::Tensor sums = at::tensor({loss, static_cast<double>(clips), static_cast<double>(hits), stop}, at::kDouble);
    group_->all_reduce_sum(sums);
    const double* sum = sums.data_ptr<double>();
    loss = sum[0];
    clips = static_cast<std::int64_t>(sum[1]);
    hits = static_cast<std::int64_t>(sum[2]);
    agreed_to_stop_ = sum[3] > 0;
  }

  // Returns the batch's loss, whose gradient is added, times `share`.
  double backward(const data::Batch& batch, double share, std::int64_t part, std::int64_t& hits) {
    at::Generator dropout = make_generator(graph_.options().device, step_seed(part));
    const Graph::Values values =
        graph_.run(batch.inputs, nodes_,
                   {.training = true, .gradients = true, .dropout = &dropout, .sync_norm = options_.sync_bn ? group_ : nullptr});
    const at::Tensor labels = check_labels(job_.spec, values, batch.labels, batch.paths);
    const at::Tensor loss = total_loss(job_.spec, values, labels, loss_);
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

  void change_weights(std::int64_t clips, const std::vector<std::string>& paths) {
    const double norm = optimizer_->gradient_norm() / loss_scale_.value();
    if (!std::isfinite(norm) && loss_scale_.can_fall()) {
      loss_scale_.fall();
      optimizer_->clear_gradients();
      ++steps_;
      return;
    }
    if (!std::isfinite(norm)) fail("the gradient is {} in step {} for the videos {}", norm, steps_, paths_text(paths));
    // The middle of the step, so that a warm-up does not begin with a rate of zero.
    const double middle = static_cast<double>(position_.clips) + 0.5 * static_cast<double>(clips);
    const double share = std::min(1.0, middle / static_cast<double>(std::max<std::int64_t>(1, clips_of_epoch())));
    rate_ = schedule_.factor(static_cast<double>(position_.epoch - 1) + share);
    if (loss_scale_.value() != 1) optimizer_->scale_gradients(1 / loss_scale_.value());
    loss_scale_.finish_step();
    optimizer_->step(rate_, norm);
    if (average_->active()) average_->update();
    position_.norms += norm;
    ++position_.steps;
    ++steps_;
  }

  std::int64_t clips_of_epoch() const { return sources_.train->clips() * ranks(); }

  // Dropout depends on the seed, the step and the rank only, whatever else draws random numbers in this process.
  std::uint64_t step_seed(std::int64_t part) const {
    Rng rng(static_cast<std::uint64_t>(options_.seed), static_cast<std::uint64_t>(steps_));
    std::uint64_t seed = rng.next();
    for (std::int64_t i = 0; i < part; ++i) seed = rng.next();
    return leads() ? seed : Rng(seed, static_cast<std::uint64_t>(group_->rank())).next();
  }

  void report(double loss) const {
    if (!leads()) return;
    if (job_.on_step) job_.on_step(steps_, loss, options_.learning_rate * rate_);
    if (!job_.progress) return;
    const std::int64_t clips = clips_of_epoch();
    const double speed = static_cast<double>(clips_seen_) / std::max(1e-9, seconds_since(started_));
    const double left = static_cast<double>((options_.epochs - position_.epoch + 1) * clips - position_.clips) / speed;
    job_.progress({fmt::format("epoch {}/{}", position_.epoch, options_.epochs), position_.clips, clips,
                   fmt::format("loss {:.4f}, {:.1f} clips/s, waiting {:.0f} %, {} left", loss, speed, waiting_percent(), duration_text(left))});
  }

  // Of this epoch's time, for data.
  double waiting_percent() const { return position_.seconds > 0 ? 100 * position_.waited / position_.seconds : 0; }

  EpochRecord record_of_epoch() const {
    EpochRecord record;
    record.epoch = position_.epoch;
    record.learning_rate = options_.learning_rate * schedule_.factor(static_cast<double>(position_.epoch) - 0.5);  // in its middle
    record.loss = position_.loss / static_cast<double>(position_.clips);
    record.train_top1 = static_cast<double>(position_.hits) / static_cast<double>(position_.clips);
    record.gradient_norm = position_.norms / static_cast<double>(std::max<std::int64_t>(1, position_.steps));
    record.seconds = position_.seconds;
    record.wait_share = record.seconds > 0 ? position_.waited / record.seconds : 0;
    record.clips_per_second = record.seconds > 0 ? static_cast<double>(position_.clips) / record.seconds : 0;
    return record;
  }

  void finish_epoch() {
    EpochRecord record = record_of_epoch();
    average_->swap();
    if (group_ != nullptr) distributed::broadcast_all(*group_, statistics_);  // each rank has seen other clips
    const bool last = record.epoch == options_.epochs;
    const bool due = !last && options_.evaluate_every > 0 && record.epoch % options_.evaluate_every == 0;
    if (const auto answers = try_to_test(sources_.validation, job_.validation, "validating")) {
      record.validation_loss = answers->loss;
      record.validation_top1 = answers->top1;
    }
    judge(record);
    if (due) {
      if (const auto answers = try_to_test(sources_.test, job_.test, "testing")) record.test_top1 = answers->top1;
    }
    if (last && !sources_.validation) test_at_the_end(record);
    if (!result_.interrupted) {
      graph_.store(weights_);
      if (record.best && sources_.validation) graph_.store(best_weights_);
    }
    average_->swap();
    if (result_.interrupted) return;
    schedule_.finish_epoch(sources_.validation ? record.validation_loss : record.loss);
    result_.epochs.push_back(record);
    position_ = {.epoch = record.epoch + 1};
    result_.stopped_early = options_.early_stop > 0 && record.epoch - best_.epoch >= options_.early_stop && !last;
    if (leads() && job_.on_epoch) job_.on_epoch(record, model());
    // The model follows the last epoch at once; a state of it would be of no use.
    if (!last && !result_.stopped_early && seconds_since(saved_) > 20 * save_seconds_) save();
  }

  // The best one so far, or the last one.
  const TensorMap& model() const { return best_weights_.empty() ? weights_ : best_weights_; }

  // Without a validation part the model that has learned most is the best.
  void judge(EpochRecord& record) {
    if (sources_.validation && record.validation_top1 < 0) return;
    const double top1 = sources_.validation ? record.validation_top1 : 0;
    const double loss = sources_.validation ? record.validation_loss : record.loss;
    record.best = best_.epoch == 0 || top1 > best_.top1 || (top1 == best_.top1 && loss < best_.loss);
    if (record.best) best_ = {record.epoch, top1, loss};
  }

  // What was learned must not be lost because the test clips cannot be read.
  std::optional<Answers> try_to_test(const std::unique_ptr<BatchSource>& source, const std::vector<data::Item>& items, const char* what) {
    if (!source || result_.interrupted) return std::nullopt;
    const std::int64_t epoch = std::min(position_.epoch, options_.epochs);
    TestPass pass{1, job_.stop, {}};
    if (job_.progress && leads()) {
      pass.progress = [&](std::int64_t clips) {
        job_.progress({fmt::format("{} {}/{}", what, epoch, options_.epochs), clips, source->clips(), ""});
      };
    }
    std::optional<Answers> answers;
    try {
      answers = test(graph_, *source, pass);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadData) throw;
      if (job_.warn) job_.warn(fmt::format("epoch {} was not tested: {}", epoch, error.what()));
    }
    if (group_ != nullptr) {
      answers = gather_answers(*group_, items, answers, job_.stop.stop_requested());
      result_.interrupted = any_rank(job_.stop.stop_requested());
    } else {
      result_.interrupted = job_.stop.stop_requested();
    }
    return result_.interrupted ? std::nullopt : answers;
  }

  bool any_rank(bool condition) const {
    const at::Tensor sum = at::tensor({condition ? 1.0 : 0.0}, at::kDouble);
    group_->all_reduce_sum(sum);
    return sum.item<double>() > 0;
  }

  void test_at_the_end(EpochRecord& record) {
    result_.test = try_to_test(sources_.test, job_.test, "testing");
    if (result_.test) record.test_top1 = result_.test->top1;
  }

  void finish() {
    if (result_.interrupted) {
      average_->swap();
      graph_.store(weights_);
      average_->swap();
      save();
      if (!best_weights_.empty()) weights_ = best_weights_;
    } else if (!best_weights_.empty() || !result_.test) {
      if (!best_weights_.empty()) {
        if (best_.epoch != position_.epoch - 1) result_.last_weights = weights_;
        weights_ = best_weights_;
      }
      load(weights_);
      result_.test = try_to_test(sources_.test, job_.test, "testing");
    }
    result_.skipped_clips = 0;
    for (const auto* source : {&sources_.train, &sources_.validation, &sources_.test}) {
      if (*source) result_.skipped_clips += (*source)->skipped_clips();
    }
    result_.steps = steps_;
  }

  void load(const TensorMap& weights) {
    const at::NoGradGuard guard;
    for (Parameter& parameter : graph_.parameters()) {
      parameter.tensor.copy_(to_torch(weights.at(parameter.info.name), parameter.info.name));
    }
  }

  void save() {
    if (!job_.on_state || !leads()) return;
    const auto start = Clock::now();
    TrainState state;
    Json records = Json::array();
    for (EpochRecord record : result_.epochs) records.push_back(fields_to_json(record.fields()));
    state.progress = {{"position", fields_to_json(position_.fields())},
                      {"best", fields_to_json(best_.fields())},
                      {"schedule", schedule_.state()},
                      {"loss_scale", loss_scale_.state()},
                      {"steps", steps_},
                      {"stopped_early", result_.stopped_early},
                      {"epochs", std::move(records)}};
    TensorMap weights;
    graph_.store(weights);
    for (auto& [name, tensor] : weights) state.tensors["weight." + name] = tensor;
    for (const auto& [name, tensor] : best_weights_) state.tensors["best." + name] = tensor;
    optimizer_->store(state.tensors);
    average_->store(state.tensors);
    job_.on_state(state, model());
    saved_ = Clock::now();
    save_seconds_ = seconds_since(start);
  }

  void restore(const TrainState& state) {
    TensorMap weights;
    for (const auto& [name, tensor] : state.tensors) {
      if (name.starts_with("weight.")) weights[name.substr(7)] = tensor;
      if (name.starts_with("best.")) best_weights_[name.substr(5)] = tensor;
    }
    load(weights);
    graph_.store(weights_);
    optimizer_->load(state.tensors);
    average_->load(state.tensors);
    const std::string where = "the state";
    fields_from_json(position_.fields(), state.progress.at("position"), where);
    fields_from_json(best_.fields(), state.progress.at("best"), where);
    schedule_.restore(state.progress.at("schedule"));
    loss_scale_.restore(state.progress.at("loss_scale"));
    steps_ = state.progress.at("steps").get<std::int64_t>();
    result_.stopped_early = state.progress.at("stopped_early").get<bool>();
    for (const Json& json : state.progress.at("epochs")) {
      EpochRecord record;
      fields_from_json(record.fields(), json, where);
      result_.epochs.push_back(record);
    }
  }

  const TrainJob& job_;
  const TrainOptions& options_;
  TensorMap& weights_;
  TensorMap best_weights_;  // where there is a validation part
  Sources sources_;
  Graph graph_;
  Schedule schedule_;
  LossScale loss_scale_;
  distributed::Group* group_ = nullptr;  // null for one rank
  std::optional<distributed::Reducer> reducer_;
  std::vector<at::Tensor> statistics_;  // what no gradient changes
  bool agreed_to_stop_ = false;
  LossOptions loss_;
  std::optional<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
  std::vector<std::string> nodes_;
  TrainResult result_;
  Position position_;
  Best best_;
  Clock::time_point started_, saved_;
  double save_seconds_ = 0;  // that the last saving took
  double rate_ = 0;          // factor of the last step
  std::int64_t steps_ = 0;
  std::int64_t clips_seen_ = 0;
};

// Lends a source that belongs to the caller.
class Borrowed final : public BatchSource {
 public:
  explicit Borrowed(BatchSource& source) : source_(source) {}
  void start_epoch(std::int64_t epoch) override { source_.start_epoch(epoch); }
  void continue_epoch(std::int64_t epoch, std::int64_t first) override { source_.continue_epoch(epoch, first); }
  std::optional<data::Batch> next() override { return source_.next(); }
  std::int64_t clips() const override { return source_.clips(); }
  double wait_seconds() const override { return source_.wait_seconds(); }
  std::int64_t skipped_clips() const override { return source_.skipped_clips(); }

 private:
  BatchSource& source_;
};

}  // namespace

TrainResult train_on(const TrainJob& job, TensorMap& weights, Sources sources) {
  set_thread_count(job.options.threads);
  keep_freed_memory();
  if (job.options.fp16 && job.options.bf16) fail_usage("bf16 and fp16 exclude each other");
  if (job.options.fp16 && job.options.device == "cpu") fail_usage("fp16: needs --device cuda; on the CPU there is --bf16");
  if (job.options.bf16 && job.options.device == "cpu" && !has_quick_bf16() && job.warn)
    job.warn("bf16: this processor computes bfloat16 slowly, if at all");
  try {
    return Trainer(job, weights, std::move(sources)).run();
  } catch (const std::exception& error) {
    if (job.group != nullptr) job.group->leave(error.what());
    throw;
  }
}

TrainResult train_on(const TrainJob& job, TensorMap& weights, BatchSource& train, BatchSource* test) {
  return train_on(job, weights, {std::make_unique<Borrowed>(train), nullptr, test != nullptr ? std::make_unique<Borrowed>(*test) : nullptr});
}

}  // namespace actio::torch_train
