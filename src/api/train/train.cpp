#include <actio/train.h>

#include <utility>

#include "api/network_impl.h"
#include "api/train/train_spec.h"
#include "eval/metrics.h"
#include "torch/trainer/torch_trainer.h"
#include "training/request.h"

namespace actio {
namespace {

training::Existing own_one(Existing existing) {
  switch (existing) {
    case Existing::kRefuse: return training::Existing::kRefuse;
    case Existing::kResume: return training::Existing::kResume;
    case Existing::kRestart: return training::Existing::kRestart;
    case Existing::kReplaceChanged: return training::Existing::kReplaceChanged;
  }
  return training::Existing::kRefuse;
}

training::TrainRequest own_one(const TrainRequest& request) {
  const auto& impl = TrainSpecAccess::impl(request.spec);
  training::TrainRequest own;
  own.data = request.data.string();
  own.output = request.output.string();
  own.spec = impl.spec;
  if (request.network) {
    own.spec.own = std::make_shared<training::OwnNetwork>(NetworkAccess::spec(*request.network), NetworkAccess::inputs(*request.network));
  }
  own.stages = impl.stages;
  own.settings = impl.settings;
  own.config = impl.file;
  for (const std::filesystem::path& file : request.init) own.init.push_back(file.string());
  own.partial = request.partial;
  own.existing = own_one(request.existing);
  own.folds = request.folds;
  own.stage_cache = request.stage_cache.string();
  own.scores = request.scores.string();
  own.log = request.log.string();
  own.tensorboard = request.tensorboard.string();
  return own;
}

EpochRecord public_one(const training::EpochRecord& own) {
  EpochRecord record;
  record.epoch = own.epoch;
  record.learning_rate = own.learning_rate;
  record.loss = own.loss;
  record.train_top1 = own.train_top1;
  record.validation_loss = own.validation_loss;
  record.validation_top1 = own.validation_top1;
  record.test_top1 = own.test_top1;
  record.gradient_norm = own.gradient_norm;
  record.seconds = own.seconds;
  record.clips_per_second = own.clips_per_second;
  record.best = own.best;
  return record;
}

}  // namespace

TrainOutcome train(const TrainRequest& request, const TrainHooks& hooks) {
  const training::TrainRequest own = own_one(request);
  training::check_request(own);
  TrainOutcome outcome;
  training::TrainHooks own_hooks;
  static_cast<Hooks&>(own_hooks) = hooks;
  own_hooks.say = own_hooks.note = hooks.say;
  own_hooks.epoch = [&](const training::EpochRecord& record) {
    outcome.epochs.push_back(public_one(record));
    if (hooks.epoch) hooks.epoch(outcome.epochs.back());
  };
  torch_train::TorchTrainer trainer;
  const std::optional<eval::ScoreTable> test = training::run_request(own, {&trainer, nullptr}, own_hooks);
  if (test) {
    const eval::Metrics metrics = eval::compute_metrics(test->scores, test->labels, test->kind);
    outcome.test_clips = metrics.clips;
    outcome.test_top1 = metrics.top1;
  }
  return outcome;
}

}  // namespace actio
