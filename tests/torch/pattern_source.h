// Trainings on batches that are made in memory.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "nets.h"
#include "torch/trainer/trainer.h"

namespace actio::torch_train {

// Clips of noise around a pattern of their class, the same in each epoch.
class PatternSource final : public BatchSource {
 public:
  PatternSource(const net::NetSpec& spec, std::int64_t clips, std::int64_t batch_size, std::uint64_t seed,
                double noise = 0.3) {
    Rng rng(seed);
    for (std::int64_t first = 0; first < clips; first += batch_size) {
      data::Batch batch;
      const std::int64_t count = std::min(batch_size, clips - first);
      batch.inputs = testing::random_inputs(spec, count, seed + static_cast<std::uint64_t>(first));
      for (std::int64_t i = 0; i < count; ++i) {
        batch.labels.push_back((first + i) % 5);
        batch.paths.push_back(fmt::format("clip{}.mp4", first + i));
      }
      for (auto& [name, tensor] : batch.inputs) paint(tensor, batch.labels, noise);
      batches.push_back(batch);
    }
    clips_ = clips;
  }

  void start_epoch(std::int64_t) override { next_ = 0; }
  std::optional<data::Batch> next() override {
    if (on_next) on_next();
    return next_ < batches.size() ? std::optional(batches[next_++]) : std::nullopt;
  }
  std::int64_t clips() const override { return clips_; }

  std::vector<data::Batch> batches;
  std::function<void()> on_next;

 private:
  static void paint(Tensor& tensor, const std::vector<std::int64_t>& labels, double noise) {
    const std::int64_t per_clip = tensor.numel() / static_cast<std::int64_t>(labels.size());
    for (std::size_t clip = 0; clip < labels.size(); ++clip) {
      Rng pattern(99, static_cast<std::uint64_t>(labels[clip]));
      float* values = tensor.data<float>() + static_cast<std::int64_t>(clip) * per_clip;
      for (std::int64_t i = 0; i < per_clip; ++i) {
        values[i] = static_cast<float>(noise * static_cast<double>(values[i]) + pattern.normal());
      }
    }
  }

  std::size_t next_ = 0;
  std::int64_t clips_ = 0;
};

struct Training {
  TrainJob job;
  TensorMap weights;
  std::vector<double> losses;  // of the epochs
  TrainResult result;
};

inline Training prepare(const net::NetSpec& spec) {
  Training run;
  run.job.spec = spec;
  run.job.options.epochs = 4;
  run.job.options.batch_size = 5;
  run.job.options.learning_rate = 0.02;
  run.job.options.schedule = training::RateSchedule::kConstant;
  run.job.options.threads = 1;  // the networks are too small to share
  run.weights = testing::random_weights(spec, 1);
  return run;
}

inline void start(Training& run, BatchSource& train, BatchSource* test = nullptr) {
  run.result = train_on(run.job, run.weights, train, test);
  for (const EpochRecord& record : run.result.epochs) run.losses.push_back(record.loss);
}

inline bool same(const TensorMap& a, const TensorMap& b) {
  for (const auto& [name, tensor] : a) {
    if (!std::equal(tensor.raw(), tensor.raw() + tensor.bytes(), b.at(name).raw())) return false;
  }
  return a.size() == b.size();
}

}  // namespace actio::torch_train
