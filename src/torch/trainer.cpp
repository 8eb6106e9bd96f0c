#include "torch/trainer.h"

#include <ATen/ATen.h>

#include <chrono>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/rng.h"
#include "eval/metrics.h"
#include "torch/convert.h"
#include "torch/graph.h"
#include "torch/losses.h"
#include "torch/optimizer.h"
#include "torch/schedule.h"
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

class Trainer {
 public:
  Trainer(const TrainJob& job, TensorMap& weights, BatchSource& train, BatchSource* test)
      : job_(job), options_(job.options), weights_(weights), train_(train), test_(test), graph_(job.spec, weights) {
    if (options_.partial_bn) graph_.freeze_batch_norms();
    optimizer_.emplace(graph_.parameters(), options_);
    nodes_ = loss_nodes(job.spec);
  }

  TrainResult run() {
    started_ = Clock::now();
    for (std::int64_t epoch = 1; epoch <= options_.epochs && !result_.interrupted; ++epoch) {
      EpochRecord record;
      record.epoch = epoch;
      train_epoch(record);
      graph_.store(weights_);
      if (!result_.interrupted) finish_epoch(record);
    }
    result_.skipped_clips = train_.skipped_clips() + (test_ != nullptr ? test_->skipped_clips() : 0);
    result_.steps = steps_;
    return std::move(result_);
  }

 private:
  void train_epoch(EpochRecord& record) {
    const auto start = Clock::now();
    const double waited = train_.wait_seconds();
    graph_.set_bf16(options_.bf16);
    train_.start_epoch(record.epoch);
    record.learning_rate = options_.learning_rate * rate_factor(options_, static_cast<double>(record.epoch) - 0.5);  // in its middle
    std::int64_t clips = 0, hits = 0;
    double loss = 0;
    while (!job_.stop.stop_requested()) {
      const std::optional<data::Batch> batch = train_.next();
      if (!batch) break;
      const auto count = static_cast<std::int64_t>(batch->labels.size());
      // The middle of the step, so that a warm-up does not begin with a rate of zero.
      const double middle = static_cast<double>(clips) + 0.5 * static_cast<double>(count);
      const double share = std::min(1.0, middle / static_cast<double>(std::max<std::int64_t>(1, train_.clips())));
      const double batch_loss = step(*batch, static_cast<double>(record.epoch - 1) + share, hits);
      clips += count;
      clips_seen_ += count;
      loss += batch_loss * static_cast<double>(count);
      report(record.epoch, clips, batch_loss);
    }
    result_.interrupted = job_.stop.stop_requested();
    if (result_.interrupted) return;
    if (clips == 0) fail("epoch {}: no training clip could be read", record.epoch);
    record.loss = loss / static_cast<double>(clips);
    record.train_top1 = static_cast<double>(hits) / static_cast<double>(clips);
    record.seconds = seconds_since(start);
    record.wait_share = record.seconds > 0 ? (train_.wait_seconds() - waited) / record.seconds : 0;
    record.clips_per_second = record.seconds > 0 ? static_cast<double>(clips) / record.seconds : 0;
  }

  // Returns the loss. Throws before the weights are touched.
  double step(const data::Batch& batch, double epochs_done, std::int64_t& hits) {
    at::Generator dropout = make_generator(graph_.options().device, step_seed());
    const Graph::Values values =
        graph_.run(batch.inputs, nodes_, {.training = true, .gradients = true, .dropout = &dropout});
    const at::Tensor labels = check_labels(job_.spec, values, batch.labels, batch.paths);
    const at::Tensor loss = total_loss(job_.spec, values, labels);
    const double number = loss.item<double>();
    if (!std::isfinite(number)) fail("the loss is {} in step {} for the videos {}", number, steps_, paths_text(batch.paths));
    try {
      loss.backward();
    } catch (const c10::Error& error) {
      fail("{}: the gradient failed: {}", job_.spec.name, one_line(error));
    }
    const double norm = optimizer_->gradient_norm();
    if (!std::isfinite(norm)) fail("the gradient is {} in step {} for the videos {}", norm, steps_, paths_text(batch.paths));
    optimizer_->step(rate_factor(options_, epochs_done), norm);
    hits += count_hits(values.at(job_.spec.output), labels);
    ++steps_;
    return number;
  }

  // Dropout depends on the seed and the step only, whatever else draws random numbers in this process.
  std::uint64_t step_seed() const {
    return Rng(static_cast<std::uint64_t>(options_.seed), static_cast<std::uint64_t>(steps_)).next();
  }

  void report(std::int64_t epoch, std::int64_t clips, double loss) const {
    if (!job_.progress) return;
    const double rate = static_cast<double>(clips_seen_) / std::max(1e-9, seconds_since(started_));
    const double left = static_cast<double>((options_.epochs - epoch + 1) * train_.clips() - clips) / rate;
    job_.progress({fmt::format("epoch {}/{}", epoch, options_.epochs), clips, train_.clips(),
                   fmt::format("loss {:.4f}, {:.1f} clips/s, {} left", loss, rate, duration_text(left))});
  }

  void finish_epoch(EpochRecord& record) {
    const bool last = record.epoch == options_.epochs;
    const bool due = last || (options_.evaluate_every > 0 && record.epoch % options_.evaluate_every == 0);
    if (due && test_ != nullptr) record.test_top1 = try_to_evaluate(record.epoch);
    if (result_.interrupted) return;
    result_.epochs.push_back(record);
    if (job_.on_epoch) job_.on_epoch(record, weights_);
  }

  // What was learned must not be lost because the test clips cannot be read.
  double try_to_evaluate(std::int64_t epoch) {
    try {
      return evaluate(epoch);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadData) throw;
      if (job_.warn) job_.warn(fmt::format("epoch {} was not tested: {}", epoch, error.what()));
      return -1;
    }
  }

  // In f32 even after bf16 training: the model is deployed so.
  double evaluate(std::int64_t epoch) {
    graph_.set_bf16(false);
    test_->start_epoch(epoch);
    std::vector<float> scores;
    std::vector<std::int64_t> labels;
    while (!job_.stop.stop_requested()) {
      const std::optional<data::Batch> batch = test_->next();
      if (!batch) break;
      const Graph::Values values = graph_.run(batch->inputs, nodes_, {});
      check_labels(job_.spec, values, batch->labels, batch->paths);
      const Tensor output = from_torch(values.at(job_.spec.output));
      scores.insert(scores.end(), output.values<float>().begin(), output.values<float>().end());
      labels.insert(labels.end(), batch->labels.begin(), batch->labels.end());
      if (job_.progress) {
        job_.progress({fmt::format("testing {}/{}", epoch, options_.epochs), static_cast<std::int64_t>(labels.size()),
                       test_->clips(), ""});
      }
    }
    result_.interrupted = job_.stop.stop_requested();
    if (labels.empty() || result_.interrupted) return -1;
    const auto clips = static_cast<std::int64_t>(labels.size());
    return eval::compute_metrics(Tensor::of({clips, static_cast<std::int64_t>(scores.size()) / clips}, scores), labels).top1;
  }

  const TrainJob& job_;
  const TrainOptions& options_;
  TensorMap& weights_;
  BatchSource& train_;
  BatchSource* test_;
  Graph graph_;
  std::optional<Optimizer> optimizer_;
  std::vector<std::string> nodes_;
  TrainResult result_;
  Clock::time_point started_;
  std::int64_t steps_ = 0;
  std::int64_t clips_seen_ = 0;
};

}  // namespace

TrainResult train_on(const TrainJob& job, TensorMap& weights, BatchSource& train, BatchSource* test) {
  set_thread_count(job.options.threads);
  keep_freed_memory();
  if (job.options.bf16 && !has_quick_bf16() && job.warn)
    job.warn("bf16: this processor computes bfloat16 slowly, if at all");
  return Trainer(job, weights, train, test).run();
}

}  // namespace actio::torch_train
