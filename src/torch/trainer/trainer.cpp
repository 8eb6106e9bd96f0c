#include "torch/trainer/trainer.h"

#include <ATen/ATen.h>

#include <chrono>
#include <cmath>

#include "core/error.h"
#include "torch/trainer/feature_source.h"
#include "torch/trainer/gather.h"
#include "torch/trainer/job_setup.h"
#include "torch/trainer/learner.h"
#include "torch/trainer/tester.h"
#include "torch/graph/torch_compat.h"

namespace actio::torch_train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  return whole >= 60 ? fmt::format("{} min {:02} s", whole / 60, whole % 60) : fmt::format("{} s", whole);
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

// bfloat16 without instructions for it is unpacked, multiplied in f32 and packed again: ten times as slow as f32.
TrainOptions computable(TrainOptions options) {
  if (options.device == training::Device::kCpu && !has_quick_bf16()) options.bf16 = false;
  return options;
}

class Trainer {
 public:
  Trainer(const TrainJob& job, TensorMap& weights, Sources sources)
      : job_(job),
        options_(computable(job.options)),
        weights_(weights),
        sources_(std::move(sources)),
        learner_(job, weights) {
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
  // The frozen part is run once for each look at a clip.
  void keep_features() {
    FeatureOptions features;
    std::vector<std::string> nodes = learner_.loss_nodes();
    nodes.push_back(job_.spec.scores.empty() ? job_.spec.output : job_.spec.scores);
    features.nodes = learner_.graph().frozen_boundary(nodes);
    features.memory->gigabytes = options_.cache_gigabytes;
    features.seed = static_cast<std::uint64_t>(options_.seed);
    features.progress = job_.progress;
    features.warn = job_.warn;
    features.stop = job_.stop;
    if (learner_.group() != nullptr) features.check = [this] { learner_.group()->check(); };
    const auto wrap = [&](std::unique_ptr<BatchSource>& source, const char* what) {
      if (!source) return;
      features.what = what;
      features.batch_size = std::max<std::int64_t>(1, std::min(options_.batch_size, source->clips() / features.shards));
      source = std::make_unique<FeatureSource>(learner_.graph(), std::move(source), features);
    };
    features.shuffle = false;
    features.only_tested = true;
    wrap(sources_.validation, "validation");
    wrap(sources_.test, "test");
    features.only_tested = false;
    features.views = options_.augment ? options_.cache_views : 1;
    features.shuffle = features.drop_last = true;
    features.balanced = options_.balance == training::Balance::kSampling;
    features.bf16 = options_.bf16;
    features.fp16 = options_.fp16;
    features.segments = options_.train_segments;
    features.shards = learner_.ranks();
    features.shard = learner_.group() == nullptr ? 0 : learner_.group()->rank();
    wrap(sources_.train, "training");
  }

  void train_epoch() {
    const auto start = Clock::now();
    const double waited = sources_.train->wait_seconds();
    const double seconds_before = position_.seconds, waited_before = position_.waited;
    if (position_.batches == 0) sources_.train->start_epoch(position_.epoch);
    else sources_.train->continue_epoch(position_.epoch, position_.batches);
    // Computing features may have been stopped, on some ranks.
    if (learner_.group() != nullptr && options_.cache_views > 0 && any_rank(job_.stop.stop_requested())) {
      result_.interrupted = true;
      return;
    }
    learner_.graph().set_precision(options_.bf16, options_.fp16);
    learner_.graph().set_segments(options_.train_segments);
    while (!learner_.is_stopped() && step()) {
      position_.seconds = seconds_before + seconds_since(start);
      position_.waited = waited_before + sources_.train->wait_seconds() - waited;
      if (options_.save_minutes > 0 && !learner_.is_stopped() && seconds_since(saved_) > 60 * options_.save_minutes) save();
    }
    result_.interrupted = learner_.is_stopped();
    if (result_.interrupted) return;
    if (position_.clips == 0) fail("epoch {}: no training clip could be read", position_.epoch);
    position_.seconds = seconds_before + seconds_since(start);
    position_.waited = waited_before + sources_.train->wait_seconds() - waited;
  }

  bool step() {
    const auto record = learner_.step(*sources_.train, position_.epoch, position_.clips);
    if (!record) return false;
    position_.batches += record->batches;
    position_.clips += record->clips;
    position_.loss += record->loss;
    position_.hits += record->hits;
    if (record->gradient_norm) {
      position_.norms += *record->gradient_norm;
      ++position_.steps;
    }
    clips_seen_ += record->clips;
    report(record->loss / static_cast<double>(record->clips));
    return true;
  }

  std::int64_t clips_of_epoch() const { return sources_.train->clips() * learner_.ranks(); }

  void report(double loss) const {
    if (!learner_.leads()) return;
    if (job_.on_step) job_.on_step(learner_.steps(), loss, learner_.learning_rate());
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
    record.learning_rate = learner_.learning_rate_at(static_cast<double>(position_.epoch) - 0.5);  // in its middle
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
    learner_.swap_average();
    learner_.share_statistics();
    share_failures();
    const bool last = record.epoch == options_.epochs;
    const bool due = !last && options_.evaluate_every > 0 && record.epoch % options_.evaluate_every == 0;
    if (const auto answers = try_to_test(sources_.validation, job_.validation, "validating")) {
      record.validation_loss = answers->loss;
      record.validation_top1 = answers->top1;
    }
    if (due) {
      if (const auto answers = try_to_test(sources_.test, job_.test, "testing")) record.test_top1 = answers->top1;
    }
    if (last && !sources_.validation) test_at_the_end(record);
    if (!result_.interrupted) {
      judge(record);
      learner_.store(weights_);
      if (record.best && sources_.validation) learner_.store(best_weights_);
    }
    learner_.swap_average();
    if (result_.interrupted) return;
    if (!sources_.validation) learner_.finish_epoch(record.loss);
    else if (record.validation_top1 >= 0) learner_.finish_epoch(record.validation_loss);  // else nothing is known of this epoch
    result_.epochs.push_back(record);
    position_ = {.epoch = record.epoch + 1};
    result_.stopped_early = options_.early_stop > 0 && best_.epoch > 0 && record.epoch - best_.epoch >= options_.early_stop && !last;
    if (learner_.leads() && job_.on_epoch) job_.on_epoch(record, model());
    // The model follows the last epoch at once; a state of it would be of no use.
    if (!last && !result_.stopped_early && seconds_since(saved_) > 20 * save_seconds_) save();
  }

  // Ranks read different clips; a state knows what all have met.
  void share_failures() {
    if (learner_.group() == nullptr) return;
    for (const std::string& items : learner_.group()->all_gather(Json(sources_.train->failed_items()).dump())) {
      sources_.train->take_for_failed(Json::parse(items).get<std::vector<std::int64_t>>());
    }
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
    TestPass pass;
    pass.stop = job_.stop;
    pass.frozen_heads = learner_.frozen_heads();
    if (learner_.group() != nullptr) pass.check = [this] { learner_.group()->check(); };
    if (job_.progress && learner_.leads()) {
      pass.progress = [&](std::int64_t clips) {
        job_.progress({fmt::format("{} {}/{}", what, epoch, options_.epochs), clips, source->clips(), ""});
      };
    }
    std::optional<Answers> answers;
    try {
      answers = test(learner_.graph(), *source, pass);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadData) throw;
      if (job_.warn) job_.warn(fmt::format("epoch {} was not tested: {}", epoch, error.what()));
    }
    if (learner_.group() != nullptr) {
      answers = gather_answers(*learner_.group(), items, answers, job_.stop.stop_requested());
      result_.interrupted = any_rank(job_.stop.stop_requested());
    } else {
      result_.interrupted = job_.stop.stop_requested();
    }
    return result_.interrupted ? std::nullopt : answers;
  }

  bool any_rank(bool condition) const {
    const at::Tensor sum = at::tensor({condition ? 1.0 : 0.0}, at::kDouble);
    learner_.group()->all_reduce_sum(sum);
    return sum.item<double>() > 0;
  }

  void test_at_the_end(EpochRecord& record) {
    result_.test = try_to_test(sources_.test, job_.test, "testing");
    if (result_.test) record.test_top1 = result_.test->top1;
  }

  void finish() {
    if (result_.interrupted) {
      if (learner_.steps() > 0) save();
      if (!best_weights_.empty()) weights_ = best_weights_;
    } else if (!best_weights_.empty() || !result_.test) {
      if (sources_.test) save();  // the test may be interrupted
      if (!best_weights_.empty()) {
        if (best_.epoch != position_.epoch - 1) result_.last_weights = weights_;
        weights_ = best_weights_;
      }
      learner_.load(weights_);
      result_.test = try_to_test(sources_.test, job_.test, "testing");
    }
    result_.replaced_clips = sources_.train->skipped_clips();
    for (const auto* source : {&sources_.validation, &sources_.test}) {
      if (*source) result_.untested_clips += (*source)->skipped_clips();
    }
    result_.steps = learner_.steps();
  }

  // What the model would be if training ended here.
  void store_average() {
    learner_.swap_average();
    learner_.store(weights_);
    learner_.swap_average();
  }

  void save() {
    if (!job_.on_state || !learner_.leads()) return;
    const auto start = Clock::now();
    store_average();
    TrainState state;
    Json records = Json::array();
    for (EpochRecord record : result_.epochs) records.push_back(fields_to_json(record.fields()));
    state.progress = {{"position", fields_to_json(position_.fields())}, {"best", fields_to_json(best_.fields())},
                      {"stopped_early", result_.stopped_early},         {"ranks", learner_.ranks()},
                      {"failed_clips", sources_.train->failed_items()}, {"epochs", std::move(records)}};
    learner_.save(state.tensors, state.progress);
    for (const auto& [name, tensor] : best_weights_) state.tensors["best." + name] = tensor;
    job_.on_state(state, model());
    saved_ = Clock::now();
    save_seconds_ = seconds_since(start);
  }

  void restore(const TrainState& state) {
    for (const auto& [name, tensor] : state.tensors) {
      if (name.starts_with("best.")) best_weights_[name.substr(5)] = tensor;
    }
    learner_.restore(state.tensors, state.progress);
    store_average();
    const std::string where = "the state";
    fields_from_json(position_.fields(), state.progress.at("position"), where);
    fields_from_json(best_.fields(), state.progress.at("best"), where);
    result_.stopped_early = state.progress.at("stopped_early").get<bool>();
    sources_.train->take_for_failed(state.progress.value("failed_clips", std::vector<std::int64_t>()));
    const auto ranks = state.progress.at("ranks").get<std::int64_t>();
    if (position_.batches > 0 && ranks != learner_.ranks()) {
      fail_usage("the state was saved in the middle of an epoch of {} processes; {} cannot go on from there", ranks, learner_.ranks());
    }
    for (const Json& json : state.progress.at("epochs")) {
      EpochRecord record;
      fields_from_json(record.fields(), json, where);
      result_.epochs.push_back(record);
    }
  }

  const TrainJob& job_;
  const TrainOptions options_;
  TensorMap& weights_;
  TensorMap best_weights_;  // where there is a validation part
  Sources sources_;
  Learner learner_;
  TrainResult result_;
  Position position_;
  Best best_;
  Clock::time_point started_, saved_;
  double save_seconds_ = 0;  // that the last saving took
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
  std::vector<std::int64_t> failed_items() const override { return source_.failed_items(); }
  void take_for_failed(const std::vector<std::int64_t>& items) override { source_.take_for_failed(items); }

 private:
  BatchSource& source_;
};

}  // namespace

TrainResult train_on(const TrainJob& job, TensorMap& weights, Sources sources) {
  set_up_threads(job);
  training::check_options(job.options);
  training::check_train_segments(job.spec, job.options.train_segments);
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
