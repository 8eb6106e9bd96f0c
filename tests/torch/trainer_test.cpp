// The training loop on batches that are made in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "net/infer.h"
#include "nets.h"
#include "pattern_source.h"
#include "support/compare.h"
#include "torch/forward.h"
#include "training/schedule.h"
#include "torch/trainer/trainer.h"

namespace actio::torch_train {
namespace {

using testing::close;
using testing::random_weights;

std::string message_of(Training& run, BatchSource& source) {
  try {
    start(run, source);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Trainer, one_step_lowers_the_loss_of_the_batch_it_was_made_on) {
  for (const testing::NamedNet& net : testing::small_nets()) {
    for (const bool bf16 : {false, true}) {
      SCOPED_TRACE(fmt::format("{} bf16 {}", net.name, bf16));
      Training run = prepare(net.spec);
      for (net::Node& node : run.job.spec.nodes) node.attrs.probability = 0;  // dropout would move the loss by chance
      run.job.options.epochs = 6;
      run.job.options.bf16 = bf16;
      run.job.options.momentum = 0;
      run.job.options.learning_rate = 0.005;
      PatternSource source(net.spec, 5, 5, 3);
      start(run, source);
      for (std::size_t i = 1; i < run.losses.size(); ++i) EXPECT_LT(run.losses[i], run.losses[i - 1]) << "step " << i;
    }
  }
}

TEST(Trainer, learns_to_tell_patterns_apart_and_reports_the_test_accuracy) {
  Training run = prepare(testing::inverted_residual_net());
  run.job.options.epochs = 12;
  run.job.options.evaluate_every = 5;
  PatternSource train(run.job.spec, 30, 10, 3), test(run.job.spec, 15, 4, 4);
  start(run, train, &test);
  ASSERT_EQ(run.result.epochs.size(), 12U);
  EXPECT_EQ(run.result.epochs[3].test_top1, -1);
  EXPECT_GE(run.result.epochs[4].test_top1, 0);
  EXPECT_EQ(run.result.epochs.back().test_top1, 1);
  EXPECT_GT(run.result.epochs.back().train_top1, 0.8);
  EXPECT_GT(run.result.epochs.back().clips_per_second, 0);
  EXPECT_FALSE(run.result.interrupted);
}

TEST(Trainer, repeats_bit_for_bit_with_the_same_seed_and_differs_with_another) {
  const auto run_with = [](std::int64_t seed, bool bf16) {
    Training run = prepare(testing::fusion_net());
    run.job.options.seed = seed;
    run.job.options.threads = bf16 ? 1 : 2;
    run.job.options.epochs = 2;
    run.job.options.bf16 = bf16;
    PatternSource source(run.job.spec, 10, 5, 3);
    start(run, source);
    return run;
  };
  for (const bool bf16 : {false, true}) {
    const Training first = run_with(1, bf16), again = run_with(1, bf16), other = run_with(2, bf16);
    EXPECT_EQ(first.losses, again.losses);
    EXPECT_TRUE(same(first.weights, again.weights));
    EXPECT_NE(first.losses, other.losses);
  }
}

TEST(Trainer, learns_from_mixtures_of_clips_and_repeats_them_with_the_same_seed) {
  const auto trained = [](double mixup) {
    Training run = prepare(testing::inverted_residual_net());
    run.job.options.epochs = 12;
    run.job.options.mixup = mixup;
    PatternSource train(run.job.spec, 30, 10, 3), test(run.job.spec, 15, 4, 4);
    start(run, train, &test);
    return run;
  };
  const Training plain = trained(0), mixed = trained(1), again = trained(1);
  EXPECT_EQ(mixed.losses, again.losses);
  EXPECT_NE(mixed.losses, plain.losses);
  EXPECT_GT(mixed.losses.back(), plain.losses.back()) << "a mixture is never told for certain";
  EXPECT_GE(mixed.result.epochs.back().test_top1, 0.8) << "clips that are not mixed are";
}

// All labels are wrong; the teacher knows.
TEST(Trainer, learns_what_the_teacher_says_as_far_as_its_share_goes) {
  Training run = prepare(testing::inverted_residual_net());
  run.job.options.epochs = 12;
  run.job.options.teacher_weight = 0.9;
  PatternSource train(run.job.spec, 30, 10, 3), test(run.job.spec, 15, 4, 4);
  for (data::Batch& batch : train.batches) {
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      std::vector<float> row(5, 0.025F);
      row[static_cast<std::size_t>(batch.labels[i])] = 0.9F;
      run.job.teacher[batch.paths[i]] = row;
      batch.labels[i] = (batch.labels[i] + 1) % 5;
    }
  }
  start(run, train, &test);
  EXPECT_GE(run.result.epochs.back().test_top1, 0.8);
  EXPECT_LE(run.result.epochs.back().train_top1, 0.2) << "of the wrong labels";
}

TEST(Trainer, partial_bn_trains_the_first_batch_norm_of_each_stream_and_those_of_the_ttn_and_leaves_the_others_alone) {
  Training run = prepare(testing::fusion_net());
  run.job.options.partial_bn = true;
  const TensorMap before = random_weights(run.job.spec, 1);
  PatternSource source(run.job.spec, 10, 5, 3);
  start(run, source);
  std::size_t moved = 0, kept = 0;
  for (const net::ParamInfo& info : net::parameters(run.job.spec)) {
    const bool learns = info.node == "rgb.conv1_bn" || info.node == "motion.conv1_bn" || info.node.starts_with("ttn.");
    const bool batch_norm = run.job.spec.node(info.node).op == net::Op::kBatchNorm;
    const bool unchanged = close(run.weights.at(info.name), before.at(info.name), 0);
    EXPECT_EQ(unchanged, (batch_norm && !learns) || (!batch_norm && !info.trainable)) << info.name;
    ++(unchanged ? kept : moved);
  }
  EXPECT_GT(moved, 20U);
  EXPECT_GT(kept, 20U);
}

// Where the streams stand still anyway, there is nothing left that partial BN could hold.
TEST(Trainer, partial_bn_changes_nothing_where_the_streams_are_frozen) {
  const auto weights_after = [](bool partial) {
    Training run = prepare(testing::fusion_net());
    run.job.options.partial_bn = partial;
    run.job.options.freeze = {"rgb", "motion"};
    PatternSource source(run.job.spec, 10, 5, 3);
    start(run, source);
    return run.weights;
  };
  EXPECT_TRUE(same(weights_after(true), weights_after(false)));
}

TEST(Trainer, names_the_videos_of_a_batch_whose_loss_is_not_finite_and_keeps_the_last_epochs_weights) {
  Training run = prepare(testing::residual_net());
  PatternSource source(run.job.spec, 10, 5, 3);
  TensorMap saved;
  run.job.on_epoch = [&](const EpochRecord& record, const TensorMap& weights) {
    if (record.epoch == 1) source.batches[1].inputs.at("rgb").data<float>()[7] = std::numeric_limits<float>::quiet_NaN();
    for (const auto& [name, tensor] : weights) saved[name] = tensor.clone();
  };
  const std::string message = message_of(run, source);
  EXPECT_THAT(message, ::testing::HasSubstr("clip5.mp4, clip6.mp4, clip7.mp4, clip8.mp4, clip9.mp4"));
  EXPECT_THAT(message, ::testing::HasSubstr("the loss is nan"));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_TRUE(same(run.weights, saved));
}

TEST(Trainer, names_the_video_whose_label_the_network_does_not_have) {
  for (const std::int64_t label : {-1, 5}) {
    Training run = prepare(testing::residual_net());
    PatternSource source(run.job.spec, 5, 5, 3);
    source.batches[0].labels[2] = label;
    EXPECT_EQ(message_of(run, source), fmt::format("clip2.mp4: label {} is outside of the 5 classes of head 'rgb'", label));
  }
}

TEST(Trainer, says_so_when_no_clip_could_be_read) {
  Training run = prepare(testing::residual_net());
  PatternSource source(run.job.spec, 0, 5, 3);
  EXPECT_EQ(message_of(run, source), "epoch 1: no training clip could be read");
}

TEST(Trainer, finishes_the_step_when_told_to_stop_and_returns_the_weights_so_far) {
  Training run = prepare(testing::residual_net());
  std::stop_source stop;
  run.job.stop = stop.get_token();
  PatternSource source(run.job.spec, 20, 5, 3);
  int steps = 0;
  source.on_next = [&] {
    if (++steps == 6) stop.request_stop();
  };
  const TensorMap before = random_weights(run.job.spec, 1);
  start(run, source);
  EXPECT_TRUE(run.result.interrupted);
  EXPECT_EQ(run.result.epochs.size(), 1U);
  EXPECT_EQ(steps, 6);
  EXPECT_FALSE(same(run.weights, before));
}

TEST(Trainer, reports_after_each_step_with_loss_rate_and_time_left) {
  Training run = prepare(testing::residual_net());
  run.job.options.epochs = 2;
  std::vector<ProgressReport> reports;
  run.job.progress = [&](const ProgressReport& report) { reports.push_back(report); };
  PatternSource source(run.job.spec, 8, 5, 3);
  start(run, source);
  ASSERT_EQ(reports.size(), 4U);
  EXPECT_EQ(reports[2].what, "epoch 2/2");
  EXPECT_EQ(reports[2].done, 5);
  EXPECT_EQ(reports[3].done, 8);
  EXPECT_EQ(reports[3].total, 8);
  EXPECT_THAT(reports[0].note, ::testing::MatchesRegex("loss [0-9.]+, [0-9.]+ clips/s, waiting [0-9]+ %, .+ left"));
}

TEST(Trainer, moves_the_heads_faster_with_a_larger_head_rate_and_nothing_with_a_rate_of_zero) {
  const auto moved = [](double head_rate, double rate) {
    Training run = prepare(testing::residual_net());
    for (net::Node& node : run.job.spec.nodes) node.attrs.probability = 0;
    run.job.options.epochs = 1;
    run.job.options.learning_rate = rate;
    run.job.options.weight_decay = 0;
    run.job.options.head_learning_rate = head_rate;
    const TensorMap before = random_weights(run.job.spec, 1);
    PatternSource source(run.job.spec, 5, 5, 3);
    start(run, source);
    const auto distance = [&](const std::string& name) {
      double sum = 0;
      for (std::int64_t i = 0; i < before.at(name).numel(); ++i) {
        sum += std::fabs(before.at(name).data<float>()[i] - run.weights.at(name).data<float>()[i]);
      }
      return sum;
    };
    return std::pair{distance("rgb.fc.weight"), distance("rgb.conv1.weight")};
  };
  const auto [head, body] = moved(1, 0.01);
  const auto [fast_head, same_body] = moved(10, 0.01);
  EXPECT_NEAR(fast_head / head, 10, 0.01);
  EXPECT_NEAR(same_body / body, 1, 1e-6);
  EXPECT_EQ(moved(1, 0), (std::pair{0.0, 0.0}));
}

// One weight vector without anything in front: the change of every step can be computed by hand.
TEST(Trainer, takes_the_sgd_step_of_momentum_weight_decay_and_clipping) {
  net::Node op{"op", net::Op::kWeightedSum, {}, {}};
  op.attrs.weights = {1};
  const net::NetSpec spec = testing::single_op_net(op, {2});
  Training run = prepare(spec);
  run.job.options.epochs = 2;
  run.job.options.learning_rate = 0.5;
  run.job.options.weight_decay = 0.1;
  run.job.options.clip_gradient = 0.25;
  run.weights = {{"op.weight", Tensor::of({1}, std::vector<float>{0.5F})}};
  PatternSource source(spec, 1, 1, 1);
  source.batches[0].inputs["x0"] = Tensor::of({1, 2}, std::vector<float>{2, -1});
  source.batches[0].labels = {0};
  start(run, source);
  double w = 0.5, velocity = 0;
  for (int step = 0; step < 2; ++step) {
    const double p = 1 / (1 + std::exp(-3 * w));  // logits 2w and -w, class 0
    const double gradient = std::clamp(-3 * (1 - p), -0.25, 0.25) + 0.1 * w;
    velocity = 0.9 * velocity + gradient;
    w -= 0.5 * velocity;
  }
  EXPECT_NEAR(run.weights.at("op.weight").data<float>()[0], w, 1e-6);
}

}  // namespace
}  // namespace actio::torch_train
