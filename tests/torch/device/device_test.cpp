// Trainings with --device cuda, on a device that only looks like one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include <cstdlib>

#include "../nets.h"
#include "../pattern_source.h"
#include "core/error.h"
#include "fake_cuda.h"
#include "net/infer.h"
#include "support/compare.h"
#include "torch/graph/torch_compat.h"
#include "torch/trainer/trainer.h"

namespace actio::torch_train {
namespace {

using testing::close;
using training::Device;

// The test's clips are other ones than those of the training.
Training train_on_device(const net::NetSpec& spec, Device device, const std::function<void(Training&)>& change = {}) {
  Training run = prepare(spec);
  run.job.options.device = device;
  run.job.options.epochs = 3;
  run.job.options.learning_rate = 0.005;
  if (change) change(run);
  PatternSource train(spec, 10, 5, 3), test(spec, 5, 5, 4);
  start(run, train, &test);
  return run;
}

void expect_same(const Training& a, const Training& b, double tolerance) {
  ASSERT_EQ(a.losses.size(), b.losses.size());
  for (std::size_t i = 0; i < a.losses.size(); ++i) EXPECT_NEAR(a.losses[i], b.losses[i], tolerance);
  for (const auto& [name, tensor] : a.weights) EXPECT_TRUE(close(b.weights.at(name), tensor, tolerance)) << name;
}

TEST(Device, catches_operands_on_different_devices_and_memory_that_the_cpu_must_not_touch) {
  const at::Tensor there = at::ones({3}, at::TensorOptions(at::kCUDA)), here = at::ones({3});
  EXPECT_THROW(there + here, std::exception);
  EXPECT_THROW(at::stack({there, here}), std::exception);
  EXPECT_THROW(at::nll_loss(at::ones({3, 2}, at::kCUDA), at::zeros({3}, at::kLong)), std::exception);
  EXPECT_EQ((there + there).sum().item<double>(), 6);
  EXPECT_DEATH(*static_cast<volatile float*>(there.data_ptr()), "");
}

TEST(Device, training_of_every_network_there_gives_what_it_gives_on_the_cpu) {
  for (const testing::NamedNet& net : testing::small_nets()) {
    SCOPED_TRACE(net.name);
    const Training there = train_on_device(net.spec, Device::kCuda), here = train_on_device(net.spec, Device::kCpu);
    expect_same(here, there, 1e-3);
    ASSERT_TRUE(there.result.test.has_value());
    EXPECT_NEAR(there.result.test->loss, here.result.test->loss, 1e-3);
  }
}

TEST(Device, every_option_that_changes_the_steps_works_there) {
  const std::vector<std::pair<std::string, std::function<void(TrainOptions&)>>> cases = {
      {"accumulate", [](TrainOptions& o) { o.accumulate = 2; }},
      {"rmsprop", [](TrainOptions& o) { o.optimizer = training::StepRule::kRmsprop, o.learning_rate = 1e-4; }},
      {"adamw", [](TrainOptions& o) { o.optimizer = training::StepRule::kAdamw, o.learning_rate = 1e-4; }},
      {"ema", [](TrainOptions& o) { o.ema = 0.9; }},
      {"smoothing", [](TrainOptions& o) { o.label_smoothing = 0.1; }},
      {"clip", [](TrainOptions& o) { o.clip_gradient = 0.1; }},
      {"bf16", [](TrainOptions& o) { o.bf16 = true; }},
      {"partial_bn", [](TrainOptions& o) { o.partial_bn = true; }},
      {"freeze", [](TrainOptions& o) { o.freeze = {"rgb"}, o.cache_views = 1; }},
  };
  for (const auto& [name, set] : cases) {
    SCOPED_TRACE(name);
    // Held down so, oneDNN refuses what LibTorch believes that it can do, which a device that only looks like one is not spared.
    if (name == "bf16" && std::getenv("ONEDNN_MAX_CPU_ISA") != nullptr) continue;
    const auto change = [&](Training& run) { set(run.job.options); };
    const net::NetSpec spec = testing::fusion_net();
    expect_same(train_on_device(spec, Device::kCpu, change), train_on_device(spec, Device::kCuda, change), name == "bf16" ? 0.1 : 2e-3);
  }
}

TEST(Device, weights_of_classes_and_a_state_work_there) {
  const net::NetSpec spec = testing::residual_net();
  std::optional<TrainState> state;
  const auto keep_state = [&](Training& run) {
    run.job.options.ema = 0.9;
    run.job.options.balance = training::Balance::kWeights;
    run.job.train.resize(10);
    for (int i = 0; i < 10; ++i) run.job.train[static_cast<std::size_t>(i)].class_index = i % 5;
    run.job.options.save_minutes = 1e-9;
    run.job.on_state = [&](const TrainState& now, const TensorMap&) {
      if (!state) state = now;
    };
  };
  const Training whole = train_on_device(spec, Device::kCuda, keep_state);
  ASSERT_TRUE(state.has_value());
  const Training rest = train_on_device(spec, Device::kCuda, [&](Training& run) {
    keep_state(run);
    run.job.resume = state;
  });
  EXPECT_TRUE(same(whole.weights, rest.weights));
}

TEST(Device, each_has_random_numbers_of_its_own) {
  const at::Device first(at::kCUDA, 0), second(at::kCUDA, 1);
  const at::Generator of_first = make_generator(first, 5), of_second = make_generator(second, 6);
  EXPECT_EQ(of_first.device(), first);
  EXPECT_EQ(of_second.device(), second);
  EXPECT_EQ(of_first.current_seed(), 5U);
  EXPECT_EQ(make_generator(first, 7).current_seed(), 7U);
  EXPECT_EQ(of_second.current_seed(), 6U);
}

TEST(Device, batches_go_there_from_pinned_memory_without_waiting) {
  const auto before = testing::fake_cuda_counts();
  Training run = prepare(testing::residual_net());
  run.job.options.device = Device::kCuda;
  run.job.options.epochs = 1;
  PatternSource source(run.job.spec, 20, 5, 3);
  start(run, source);
  const auto after = testing::fake_cuda_counts();
  EXPECT_EQ(after.pinned_copies_in - before.pinned_copies_in, 4) << "one input, four batches";
  EXPECT_GT(after.operations, before.operations);
}

}  // namespace
}  // namespace actio::torch_train
