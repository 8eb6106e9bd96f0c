// Trainings that are stopped and go on, that keep parts of a network, and that choose the best model.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <map>

#include "net/infer.h"
#include "pattern_source.h"
#include "support/compare.h"
#include "support/temp_dir.h"
#include "torch/graph/convert.h"
#include "torch/trainer/losses.h"
#include "torch/trainer/optimizer.h"
#include "training/schedule.h"
#include "training/state_file.h"

namespace actio::torch_train {
namespace {

using ::testing::HasSubstr;
using testing::close;
using testing::random_weights;
using training::StepRule;

TrainState copy_of(const TrainState& state) {
  TrainState copy{state.progress, {}};
  for (const auto& [name, tensor] : state.tensors) copy.tensors[name] = tensor.clone();
  return copy;
}

// Everything that has a memory at once.
Training demanding_run(StepRule optimizer) {
  Training run = prepare(testing::fusion_net());
  run.job.options.optimizer = optimizer;
  run.job.options.learning_rate = optimizer == StepRule::kSgd ? 0.02 : 0.002;
  run.job.options.epochs = 4;
  run.job.options.schedule = training::RateSchedule::kPlateau;
  run.job.options.patience = 1;
  run.job.options.ema = 0.9;
  run.job.options.accumulate = 2;
  run.job.options.save_minutes = 1e-9;  // a state after each step
  return run;
}

Sources pattern_sources(const net::NetSpec& spec) {
  return {std::make_unique<PatternSource>(spec, 20, 4, 3), std::make_unique<PatternSource>(spec, 6, 3, 4),
          std::make_unique<PatternSource>(spec, 5, 2, 5)};
}

TEST(TrainerState, lets_a_training_go_on_bit_for_bit_from_wherever_it_was_saved) {
  for (const StepRule optimizer : {StepRule::kSgd, StepRule::kRmsprop, StepRule::kAdamw}) {
    SCOPED_TRACE(name_of(optimizer));
    Training whole = demanding_run(optimizer);
    std::vector<TrainState> states;
    whole.job.on_state = [&](const TrainState& state, const TensorMap&) { states.push_back(copy_of(state)); };
    std::map<std::int64_t, double> losses;
    whole.job.on_step = [&](std::int64_t step, double loss, double) { losses[step] = loss; };
    whole.result = train_on(whole.job, whole.weights, pattern_sources(whole.job.spec));
    ASSERT_GE(states.size(), 12U);
    for (const std::size_t i : {0UL, 2UL, 4UL, 7UL, 9UL}) {
      SCOPED_TRACE(fmt::format("state {}", i));
      Training rest = demanding_run(optimizer);
      rest.job.resume = states[i];
      std::size_t repeated = 0;
      rest.job.on_step = [&](std::int64_t step, double loss, double) { repeated += losses.at(step) == loss ? 1 : 1000; };
      rest.weights = random_weights(rest.job.spec, 77);  // not what decides
      rest.result = train_on(rest.job, rest.weights, pattern_sources(rest.job.spec));
      EXPECT_TRUE(same(rest.weights, whole.weights));
      EXPECT_EQ(repeated, losses.size() - states[i].progress.at("steps").get<std::size_t>());
      ASSERT_EQ(rest.result.epochs.size(), whole.result.epochs.size());
      for (std::size_t e = 0; e < whole.result.epochs.size(); ++e) {
        EXPECT_EQ(rest.result.epochs[e].loss, whole.result.epochs[e].loss);
        EXPECT_EQ(rest.result.epochs[e].validation_loss, whole.result.epochs[e].validation_loss);
        EXPECT_EQ(rest.result.epochs[e].train_top1, whole.result.epochs[e].train_top1);
      }
      ASSERT_TRUE(rest.result.test && whole.result.test);
      EXPECT_TRUE(close(rest.result.test->scores, whole.result.test->scores, 0));
    }
  }
}

// Calls `before` before each batch.
class WatchedSource final : public BatchSource {
 public:
  WatchedSource(std::unique_ptr<BatchSource> source, std::function<void()> before) : source_(std::move(source)), before_(std::move(before)) {}
  void start_epoch(std::int64_t epoch) override { source_->start_epoch(epoch); }
  void continue_epoch(std::int64_t epoch, std::int64_t first) override { source_->continue_epoch(epoch, first); }
  std::optional<data::Batch> next() override {
    before_();
    return source_->next();
  }
  std::int64_t clips() const override { return source_->clips(); }

 private:
  std::unique_ptr<BatchSource> source_;
  std::function<void()> before_;
};

TEST(TrainerState, is_saved_when_training_is_interrupted_while_it_reads_validates_or_tests) {
  Training whole = demanding_run(StepRule::kSgd);
  whole.job.options.evaluate_every = 1;
  int batches = 0;
  const auto watched = [&](const std::function<void()>& before) {
    Sources sources = pattern_sources(whole.job.spec);
    for (auto* source : {&sources.train, &sources.validation, &sources.test}) {
      *source = std::make_unique<WatchedSource>(std::move(*source), before);
    }
    return sources;
  };
  whole.result = train_on(whole.job, whole.weights, watched([&] { ++batches; }));
  ASSERT_GE(batches, 40);
  for (int stop_at = 2; stop_at <= batches; stop_at += stop_at < batches - 6 ? 3 : 1) {
    SCOPED_TRACE(fmt::format("interrupted before batch {} of {}", stop_at, batches));
    Training first = demanding_run(StepRule::kSgd);
    first.job.options.evaluate_every = 1;
    first.job.options.save_minutes = 0;
    std::stop_source stop;
    first.job.stop = stop.get_token();
    std::optional<TrainState> last;
    first.job.on_state = [&](const TrainState& state, const TensorMap&) { last = copy_of(state); };
    int seen = 0;
    first.result = train_on(first.job, first.weights, watched([&] {
                              if (++seen == stop_at) stop.request_stop();
                            }));
    ASSERT_TRUE(first.result.interrupted);
    ASSERT_TRUE(last);
    Training rest = demanding_run(StepRule::kSgd);
    rest.job.options.evaluate_every = 1;
    rest.job.resume = *last;
    rest.result = train_on(rest.job, rest.weights, pattern_sources(rest.job.spec));
    EXPECT_TRUE(same(rest.weights, whole.weights));
    EXPECT_EQ(rest.result.last_weights.size(), whole.result.last_weights.size());
    ASSERT_EQ(rest.result.epochs.size(), whole.result.epochs.size());
    for (std::size_t e = 0; e < whole.result.epochs.size(); ++e) EXPECT_EQ(rest.result.epochs[e].best, whole.result.epochs[e].best) << e;
    ASSERT_TRUE(rest.result.test);
    EXPECT_TRUE(close(rest.result.test->scores, whole.result.test->scores, 0));
  }
}

TEST(TrainerState, is_not_saved_before_anything_was_learned) {
  Training run = demanding_run(StepRule::kSgd);
  std::stop_source stop;
  stop.request_stop();
  run.job.stop = stop.get_token();
  run.job.on_state = [](const TrainState&, const TensorMap&) { ADD_FAILURE() << "an earlier model would be replaced by first weights"; };
  EXPECT_TRUE(train_on(run.job, run.weights, pattern_sources(run.job.spec)).interrupted);
}

TEST(TrainerState, within_an_epoch_belongs_to_as_many_processes) {
  Training run = demanding_run(StepRule::kSgd);
  std::vector<TrainState> states;
  run.job.on_state = [&](const TrainState& state, const TensorMap&) { states.push_back(copy_of(state)); };
  train_on(run.job, run.weights, pattern_sources(run.job.spec));
  run.job.resume = states.front();
  run.job.resume->progress["ranks"] = 2;
  try {
    train_on(run.job, run.weights, pattern_sources(run.job.spec));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("of 2 processes; 1 cannot go on"));
  }
}

TEST(Trainer, learns_nothing_from_a_validation_part_that_cannot_be_read) {
  Training run = prepare(testing::fusion_net());
  run.job.options.epochs = 6;
  run.job.options.early_stop = 2;
  run.job.options.schedule = training::RateSchedule::kPlateau;
  run.job.options.patience = 1;
  run.job.warn = [](const std::string&) {};
  Sources sources = pattern_sources(run.job.spec);
  sources.validation = std::make_unique<WatchedSource>(std::move(sources.validation), [] { fail_data("x.mp4: is damaged"); });
  const TrainResult result = train_on(run.job, run.weights, std::move(sources));
  EXPECT_FALSE(result.stopped_early);
  ASSERT_EQ(result.epochs.size(), 6U);
  EXPECT_EQ(result.epochs.back().learning_rate, result.epochs.front().learning_rate);
}

TEST(TrainerState, survives_a_file_and_is_refused_by_another_training) {
  const testing::TempDir folder;
  const std::string path = (folder.path() / "model.actio.state").string();
  Training run = demanding_run(StepRule::kSgd);
  TrainState last;
  run.job.on_state = [&](const TrainState& state, const TensorMap&) { last = copy_of(state); };
  train_on(run.job, run.weights, pattern_sources(run.job.spec));
  const Json config = {{"train", {{"epochs", 4}, {"workers", 2}}}, {"init", "a.actio"}};
  training::write_state(path, last, config);
  const TrainState read = training::read_state(path, {{"train", {{"epochs", 4}, {"workers", 7}}}, {"init", "a.actio"}});
  EXPECT_EQ(read.progress, last.progress);
  EXPECT_EQ(read.tensors.size(), last.tensors.size());
  for (const auto& [name, tensor] : last.tensors) {
    EXPECT_TRUE(std::equal(tensor.raw(), tensor.raw() + tensor.bytes(), read.tensors.at(name).raw())) << name;
  }
  try {
    training::read_state(path, {{"train", {{"epochs", 8}, {"workers", 2}}}, {"init", "a.actio"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("[train] epochs: 4 there, 8 here"));
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
  }
  TrainState damaged = copy_of(last);
  damaged.tensors.erase("weight.rgb.conv1.weight");
  run.job.resume = damaged;
  EXPECT_THROW(train_on(run.job, run.weights, pattern_sources(run.job.spec)), Error);
  damaged = copy_of(last);
  damaged.progress.erase("schedule");
  run.job.resume = damaged;
  EXPECT_THROW(train_on(run.job, run.weights, pattern_sources(run.job.spec)), Error);
}

TEST(Trainer, leaves_what_is_frozen_as_it_is_down_to_the_running_statistics) {
  Training run = prepare(testing::fusion_net());
  run.job.options.freeze = {"rgb", "motion.layer1"};
  const TensorMap before = random_weights(run.job.spec, 1);
  PatternSource source(run.job.spec, 10, 5, 3);
  start(run, source);
  std::size_t moved = 0;
  for (const auto& [name, tensor] : before) {
    const bool frozen = name.starts_with("rgb.") || name.starts_with("motion.layer1.") || name == "scores.weight";
    EXPECT_EQ(close(run.weights.at(name), tensor, 0), frozen) << name;
    moved += frozen ? 0 : 1;
  }
  EXPECT_GT(moved, 10U);
}

TEST(Trainer, says_what_cannot_be_frozen) {
  const auto message = [](std::vector<std::string> freeze) {
    Training run = prepare(testing::fusion_net());
    run.job.options.freeze = std::move(freeze);
    try {
      PatternSource source(run.job.spec, 5, 5, 3);
      start(run, source);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message({"rg"}), "freeze: nothing in fusion stands below 'rg'");
  EXPECT_EQ(message({"rgb", "motion", "ttn", "ifm"}), "freeze: no head of fusion depends on anything that is left to train");
}

// The frozen part's features are computed once; what is learned from them is the same.
TEST(Trainer, learns_the_same_from_kept_features_as_from_the_clips) {
  const auto train_with = [](std::int64_t views, bool augment) {
    Training run = prepare(testing::fusion_net());
    for (net::Node& node : run.job.spec.nodes) node.attrs.probability = 0;
    run.job.options.freeze = {"rgb", "motion"};
    run.job.options.cache_views = views;
    run.job.options.augment = augment;
    run.job.options.batch_size = 10;  // one batch, whose order does not matter
    auto clips = std::make_unique<PatternSource>(run.job.spec, 10, 10, 3);
    int reads = 0;
    clips->on_next = [&] { ++reads; };
    run.result = train_on(run.job, run.weights, {std::move(clips), nullptr, std::make_unique<PatternSource>(run.job.spec, 5, 2, 4)});
    for (const EpochRecord& record : run.result.epochs) run.losses.push_back(record.loss);
    return std::pair{std::move(run), reads};
  };
  const auto [plain, plain_reads] = train_with(0, false);
  const auto [kept, reads] = train_with(3, false);
  const auto [views, view_reads] = train_with(3, true);
  EXPECT_EQ(plain_reads, 4 * 2);  // epochs, each with its end
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(view_reads, 3 * 2);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(kept.losses[i], plain.losses[i], 1e-5);
    EXPECT_NEAR(views.losses[i], plain.losses[i], 1e-5);
  }
  ASSERT_TRUE(kept.result.test && plain.result.test);
  EXPECT_TRUE(close(kept.result.test->scores, plain.result.test->scores, 1e-4));
  EXPECT_EQ(kept.result.test->paths, plain.result.test->paths);
}

TEST(Trainer, keeps_fewer_views_where_the_memory_is_small_and_says_when_there_is_room_for_none) {
  Training run = prepare(testing::fusion_net());
  run.job.options.freeze = {"rgb", "motion"};
  run.job.options.cache_views = 5;
  std::vector<std::string> warnings;
  run.job.warn = [&](const std::string& text) { warnings.push_back(text); };
  const auto train_with = [&](double gigabytes) {
    run.job.options.cache_gigabytes = gigabytes;
    train_on(run.job, run.weights, {std::make_unique<PatternSource>(run.job.spec, 10, 5, 3), nullptr, nullptr});
  };
  // Three maps of 8 x 6 x 6 (of both streams, and their product), two vectors of 5 scores, of 4 snippets of 10 clips.
  const double view = (3 * 8 * 6 * 6 + 2 * 5) * 4 * 10 * 4 / 1e9;
  train_with(2.5 * view);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("cache_views: 5 views"));
  EXPECT_THAT(warnings[0], HasSubstr("2 are used"));
  EXPECT_THROW(train_with(0.9 * view), Error);
}

TEST(Trainer, reads_clips_that_are_only_tested_each_time_where_their_features_do_not_fit) {
  std::vector<std::string> warnings;
  const auto run_with = [&](double gigabytes) {
    Training run = prepare(testing::fusion_net());
    run.job.options.freeze = {"rgb", "motion"};
    run.job.options.cache_views = 1;
    run.job.options.cache_gigabytes = gigabytes;
    run.job.options.evaluate_every = 1;
    run.job.options.epochs = 2;
    run.job.warn = [&](const std::string& text) { warnings.push_back(text); };
    run.result = train_on(run.job, run.weights, {std::make_unique<PatternSource>(run.job.spec, 10, 5, 3), nullptr,
                                                 std::make_unique<PatternSource>(run.job.spec, 12, 4, 5)});
    return run.result;
  };
  const double view = (3 * 8 * 6 * 6 + 2 * 5) * 4 * 10 * 4 / 1e9;
  const TrainResult small = run_with(1.5 * view);  // the training part has taken the most of it
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], AllOf(HasSubstr("the features of the 12 test clips"), HasSubstr("the clips are read each time")));
  const TrainResult large = run_with(1);
  EXPECT_EQ(warnings.size(), 1U);
  ASSERT_TRUE(small.test && large.test);
  EXPECT_EQ(small.test->paths, large.test->paths);
  EXPECT_TRUE(close(small.test->scores, large.test->scores, 1e-5));
  EXPECT_EQ(small.epochs[0].test_top1, large.epochs[0].test_top1);
}

TEST(Trainer, judges_by_the_heads_that_it_trains) {
  const auto validation_loss = [](const std::vector<std::string>& freeze) {
    Training run = prepare(testing::fusion_net());
    run.job.options.epochs = 1;
    run.job.options.learning_rate = 1e-12;
    run.job.options.freeze = freeze;
    return train_on(run.job, run.weights, pattern_sources(run.job.spec)).epochs.at(0).validation_loss;
  };
  EXPECT_LT(validation_loss({"rgb", "motion"}), validation_loss({}) - 1) << "the streams' heads, which do not learn, count";
}

TEST(Trainer, makes_one_step_of_several_batches_as_of_one_large_one) {
  net::Node op{"op", net::Op::kWeightedSum, {}, {}};
  op.attrs.weights = {1, 0.5};
  const net::NetSpec spec = testing::single_op_net(op, {5}, 2);
  const auto weights_after = [&](std::int64_t batch, std::int64_t accumulate) {
    Training run = prepare(spec);
    run.job.options.batch_size = batch;
    run.job.options.accumulate = accumulate;
    PatternSource source(spec, 8, batch, 3);
    PatternSource whole(spec, 8, 8, 3);
    for (std::size_t i = 0; i < source.batches.size(); ++i) {
      for (auto& [name, rows] : source.batches[i].inputs) {
        rows = whole.batches[0].inputs.at(name).rows(static_cast<std::int64_t>(i) * batch, rows.dim(0));
      }
    }
    start(run, source);
    return run.weights.at("op.weight");
  };
  const Tensor once = weights_after(8, 1);
  EXPECT_TRUE(close(weights_after(4, 2), once, 1e-6));
  EXPECT_TRUE(close(weights_after(3, 3), once, 1e-6));   // the last batch has two clips
  EXPECT_TRUE(close(weights_after(2, 16), once, 1e-6));  // an epoch ends before the step is full
  EXPECT_FALSE(close(weights_after(4, 1), once, 1e-6));
}

TEST(Trainer, averages_the_weights_and_makes_the_average_the_model) {
  Training run = prepare(testing::residual_net());
  run.job.options.ema = 0.8;
  run.job.options.save_minutes = 1e-9;
  std::vector<TrainState> states;
  run.job.on_state = [&](const TrainState& state, const TensorMap&) { states.push_back(copy_of(state)); };
  PatternSource source(run.job.spec, 5, 5, 3);
  start(run, source);
  ASSERT_GE(states.size(), 4U);
  Tensor average = random_weights(run.job.spec, 1).at("rgb.fc.weight");
  std::int64_t seen = 0;
  for (const TrainState& state : states) {
    const auto step = state.progress.at("steps").get<std::int64_t>();
    if (step == seen) continue;
    seen = step;
    const double decay = std::min(0.8, static_cast<double>(1 + step) / static_cast<double>(10 + step));
    const float* now = state.tensors.at("weight.rgb.fc.weight").data<float>();
    for (std::int64_t i = 0; i < average.numel(); ++i) {
      float& a = average.data<float>()[i];
      a = static_cast<float>(decay * static_cast<double>(a) + (1 - decay) * static_cast<double>(now[i]));
    }
  }
  EXPECT_EQ(seen, 4);
  EXPECT_TRUE(close(run.weights.at("rgb.fc.weight"), average, 1e-5));
  EXPECT_FALSE(close(run.weights.at("rgb.fc.weight"), states.back().tensors.at("weight.rgb.fc.weight"), 1e-5));
}

// A validation part of noise with the labels of noise: its loss rises sooner or later.
TEST(Trainer, returns_the_model_that_was_best_on_the_validation_part_and_stops_when_none_is_better) {
  Training run = prepare(testing::inverted_residual_net());
  run.job.options.epochs = 60;
  run.job.options.early_stop = 3;
  auto validation = std::make_unique<PatternSource>(run.job.spec, 6, 6, 4);
  for (std::int64_t& label : validation->batches[0].labels) label = (label + 1) % 5;
  std::map<std::int64_t, TensorMap> models;
  run.job.on_epoch = [&](const EpochRecord& record, const TensorMap& weights) {
    for (const auto& [name, tensor] : weights) models[record.epoch][name] = tensor.clone();
  };
  run.result = train_on(run.job, run.weights, {std::make_unique<PatternSource>(run.job.spec, 20, 5, 3), std::move(validation), nullptr});
  EXPECT_TRUE(run.result.stopped_early);
  ASSERT_GE(run.result.epochs.size(), 4U);
  const std::size_t best = run.result.epochs.size() - 4;
  EXPECT_TRUE(run.result.epochs[best].best);
  for (std::size_t i = best + 1; i < run.result.epochs.size(); ++i) EXPECT_FALSE(run.result.epochs[i].best);
  EXPECT_TRUE(same(run.weights, models.at(static_cast<std::int64_t>(best) + 1)));
  EXPECT_EQ(run.result.last_weights.size(), run.weights.size());
  EXPECT_FALSE(same(run.weights, run.result.last_weights));
}

TEST(Losses, smooth_labels_and_weigh_classes_as_the_library_does) {
  const testing::NamedNet net = testing::small_nets().front();
  const at::Tensor logits = at::randn({6, 5}, at::TensorOptions().dtype(at::kFloat));
  const at::Tensor labels = at::tensor({0, 1, 2, 3, 4, 1}, at::kLong);
  const at::Tensor weights = at::tensor({0.5, 2.0, 1.0, 1.5, 0.25}, at::kFloat);
  Graph::Values values;
  for (const net::Head& head : net.spec.heads) values[head.node] = logits;
  for (const double smoothing : {0.0, 0.1}) {
    for (const bool weigh : {false, true}) {
      LossOptions options;
      options.label_smoothing = smoothing;
      if (weigh) options.class_weights = weights;
      const auto sum = at::cross_entropy_loss(logits, labels, options.class_weights, at::Reduction::Sum, -100, smoothing);
      EXPECT_NEAR(total_loss(net.spec, values, labels, options).item<double>(), sum.item<double>() / 6, 1e-5);
    }
  }
  LossOptions frozen;
  frozen.frozen_heads = {net.spec.heads[0].name};
  EXPECT_FALSE(total_loss(net.spec, values, labels, frozen).defined());
}

std::unique_ptr<torch::optim::Optimizer> library_optimizer(const TrainOptions& options, const at::Tensor& tensor) {
  const std::vector<at::Tensor> tensors = {tensor};
  const double rate = options.learning_rate, decay = options.weight_decay;
  if (options.optimizer == StepRule::kRmsprop) {
    return std::make_unique<torch::optim::RMSprop>(
        tensors, torch::optim::RMSpropOptions(rate).alpha(options.rmsprop_decay).eps(1e-8).momentum(options.momentum).weight_decay(decay));
  }
  if (options.optimizer == StepRule::kAdamw) {
    return std::make_unique<torch::optim::AdamW>(
        tensors, torch::optim::AdamWOptions(rate).betas({options.momentum, 0.999}).eps(1e-8).weight_decay(decay));
  }
  return std::make_unique<torch::optim::SGD>(tensors, torch::optim::SGDOptions(rate).momentum(options.momentum).weight_decay(decay));
}

void expect_the_library_s_steps(const TrainOptions& options, at::MemoryFormat format, bool same_layout) {
  std::vector<Parameter> parameters(1);
  parameters[0].info.name = "w";
  parameters[0].tensor = at::randn({33, 40, 7, 9}).contiguous(format).set_requires_grad(true);
  at::Tensor peer = parameters[0].tensor.detach().clone().set_requires_grad(true);
  const auto reference = library_optimizer(options, peer);
  Optimizer optimizer(parameters, options);
  for (int step = 0; step < 4; ++step) {
    // Not near zero, where RMSProp's quotient turns rounding into steps. In step 2 its norm is 4, which is not clipped.
    const at::Tensor noise = at::randn({33, 40, 7, 9});
    const at::Tensor gradient = (noise + 0.5 * noise.sign()) * (step == 2 ? 0.01 : 1);
    const at::Tensor elsewhere = gradient.transpose(2, 3).contiguous(format).transpose(2, 3);
    parameters[0].tensor.mutable_grad() = same_layout ? gradient.contiguous(format) : elsewhere;
    const double norm = optimizer.gradient_norm();
    peer.mutable_grad() = (gradient * std::min(1.0, options.clip_gradient / norm)).contiguous(format);
    optimizer.step(1, norm);
    reference->step();
    EXPECT_TRUE(at::allclose(parameters[0].tensor, peer, 1e-5, 1e-6)) << "step " << step;
  }
}

TEST(Optimizer, takes_the_steps_that_the_library_takes_however_tensors_lie) {
  for (const StepRule kind : {StepRule::kSgd, StepRule::kRmsprop, StepRule::kAdamw}) {
    for (const double momentum : {0.0, 0.9}) {
      for (const at::MemoryFormat format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
        for (const bool same_layout : {true, false}) {
          SCOPED_TRACE(fmt::format("{} momentum {} format {} same {}", name_of(kind), momentum, static_cast<int>(format), same_layout));
          TrainOptions options;
          options.optimizer = kind;
          options.momentum = momentum;
          options.learning_rate = 0.01;
          options.weight_decay = 0.005;
          options.clip_gradient = 20;
          expect_the_library_s_steps(options, format, same_layout);
          if (kind != StepRule::kRmsprop) continue;
          options.rmsprop_decay = 0.9;
          expect_the_library_s_steps(options, format, same_layout);
        }
      }
    }
  }
}

}  // namespace
}  // namespace actio::torch_train
