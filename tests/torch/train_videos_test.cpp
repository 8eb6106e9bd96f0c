// Training from video files: the loader, motion vectors, augmentation, the test part and a clip that cannot be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "data/synthetic.h"
#include "net/zoo.h"
#include "nets.h"
#include "support/temp_dir.h"
#include "torch/trainer/job.h"

namespace actio::torch_train {
namespace {

class TrainVideos : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TempDir;
    data::SynthesisOptions options;
    options.out = *folder_ / "clips";
    options.classes = {data::synthetic_classes()[0], data::synthetic_classes()[1]};
    options.clips_per_class = 6;
    options.min_frames = options.max_frames = 32;
    data::synthesise(options);
    std::ofstream(*folder_ / "broken.mp4") << "not a video";
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  void SetUp() override {
    const data::Dataset dataset = data::load_dataset(*folder_ / "clips");
    for (const data::Item& item : dataset.items) (job.test.size() < 4 ? job.test : job.train).push_back(item);
    const Preprocess preprocess{.input_size = 32, .short_side = 36, .motion = Motion::kVectors, .motion_length = 2};
    net::NetworkOptions network;
    network.network = net::NetworkKind::kIfTtn;
    network.backbone = net::BackboneKind::kMobilenetV2;
    network.width = 0.25;
    network.classes = 2;
    network.segments = 3;
    job.spec = net::build_network(network, preprocess);
    job.inputs = net::network_inputs(network, preprocess);
    job.options.epochs = 2;
    job.options.batch_size = 3;
    job.options.threads = 1;
    job.warn = [this](const std::string& message) { warnings.push_back(message); };
    weights = testing::random_weights(job.spec, 1);
  }

  static testing::TempDir* folder_;
  TrainJob job;
  TensorMap weights;
  std::vector<std::string> warnings;
};

testing::TempDir* TrainVideos::folder_ = nullptr;

std::vector<double> losses(const TrainResult& result) {
  std::vector<double> all;
  for (const EpochRecord& record : result.epochs) all.push_back(record.loss);
  return all;
}

TEST_F(TrainVideos, repeat_bit_for_bit_and_are_tested_after_the_last_epoch) {
  TensorMap again = weights;
  const TrainResult first = train(job, weights), second = train(job, again);
  ASSERT_EQ(first.epochs.size(), 2U);
  EXPECT_EQ(first.epochs[0].test_top1, -1);
  EXPECT_GE(first.epochs[1].test_top1, 0);
  EXPECT_EQ(first.replaced_clips, 0);
  EXPECT_EQ(losses(first), losses(second));
  for (const auto& [name, tensor] : weights) {
    EXPECT_TRUE(std::equal(tensor.raw(), tensor.raw() + tensor.bytes(), again.at(name).raw())) << name;
  }
}

TEST_F(TrainVideos, skip_a_clip_that_cannot_be_read_with_a_warning_and_count_it) {
  data::Item broken = job.train[0];
  broken.path = *folder_ / "broken.mp4";
  job.train.push_back(broken);
  job.test.push_back(broken);
  const TrainResult result = train(job, weights);
  EXPECT_EQ(result.replaced_clips, 1);
  EXPECT_EQ(result.untested_clips, 1);
  EXPECT_EQ(result.epochs.size(), 2U);
  EXPECT_THAT(warnings, ::testing::Contains(::testing::HasSubstr("broken.mp4")));
}

TEST_F(TrainVideos, go_on_with_the_clips_that_could_be_read_at_first) {
  data::Item broken = job.train[0];
  broken.path = *folder_ / "mended.mp4";
  job.train.push_back(broken);
  std::ofstream(broken.path) << "not a video";
  TensorMap whole = weights;
  const TrainResult expected = train(job, whole);
  ASSERT_EQ(expected.replaced_clips, 1);
  TrainJob first = job;
  std::stop_source stop;
  first.stop = stop.get_token();
  first.on_epoch = [&](const EpochRecord&, const TensorMap&) { stop.request_stop(); };
  first.on_state = [&](const TrainState& state, const TensorMap&) {
    job.resume.emplace();
    job.resume->progress = state.progress;
    for (const auto& [name, tensor] : state.tensors) {
      job.resume->tensors[name] = Tensor(tensor.shape(), tensor.dtype());
      std::copy(tensor.raw(), tensor.raw() + tensor.bytes(), job.resume->tensors[name].raw());
    }
  };
  TensorMap half = weights;
  ASSERT_TRUE(train(first, half).interrupted);
  ASSERT_TRUE(job.resume);
  std::filesystem::copy_file(job.train[1].path, broken.path, std::filesystem::copy_options::overwrite_existing);
  const TrainResult resumed = train(job, weights);
  EXPECT_EQ(resumed.replaced_clips, 1);
  EXPECT_EQ(losses(resumed), losses(expected));
  for (const auto& [name, tensor] : whole) {
    EXPECT_TRUE(std::equal(tensor.raw(), tensor.raw() + tensor.bytes(), weights.at(name).raw())) << name;
  }
  job.resume->progress.erase("failed_clips");  // as earlier versions wrote it
  EXPECT_EQ(train(job, half).replaced_clips, 0);
}

TEST_F(TrainVideos, stop_at_once_when_told_so_before_the_first_batch) {
  std::stop_source stop;
  stop.request_stop();
  job.stop = stop.get_token();
  const TrainResult result = train(job, weights);
  EXPECT_TRUE(result.interrupted);
  EXPECT_TRUE(result.epochs.empty());
}

TEST_F(TrainVideos, need_a_clip_and_names_what_is_wrong_with_the_network) {
  TrainJob empty = job;
  empty.train.clear();
  EXPECT_THROW(train(empty, weights), Error);
  job.inputs.list.at(0).size = 48;
  try {
    train(job, weights);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "rgb: expected rows of shape [3, 32, 32], got a batch of shape [9, 3, 48, 48]");
  }
}

}  // namespace
}  // namespace actio::torch_train
