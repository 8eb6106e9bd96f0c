// Training over include/actio.
#include <actio/recognizer.h>
#include <actio/train.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <thread>

#include "cli/tiny_model.h"
#include "data/synthetic.h"
#include "support/temp_dir.h"

namespace actio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempDir;

template <typename Act>
std::string message_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(ATrainSpec, is_what_the_networks_paper_says_but_for_what_is_set) {
  TrainSpec spec = paper_spec("stfn");
  EXPECT_EQ(spec.get("network.segments"), "5");
  EXPECT_EQ(spec.get("preprocess.motion_length"), "10");
  const TrainSpec before = spec;
  spec.set("network.segments", "7").set("train.steps", "0.3,0.6");
  EXPECT_EQ(spec.get("network.segments"), "7");
  EXPECT_EQ(spec.get("train.steps"), "0.3,0.6");
  EXPECT_EQ(before.get("network.segments"), "5");
  EXPECT_THAT(spec.options(), ::testing::Contains("data.test_share"));
}

TEST(ATrainSpec, refuses_what_it_does_not_know_and_names_the_nearest) {
  TrainSpec spec;
  EXPECT_THAT(message_of([&] { spec.set("train.epoch", "1"); }), HasSubstr("the nearest is 'train.epochs'"));
  EXPECT_THAT(message_of([&] { spec.set("epochs", "1"); }), HasSubstr("unknown option 'epochs'; the nearest is 'train.epochs'"));
  EXPECT_THAT(message_of([&] { spec.set("", "1"); }), HasSubstr("unknown option"));
  EXPECT_THAT(message_of([&] { spec.set("train.epochs", "many"); }), HasSubstr("a whole number, got 'many'"));
  EXPECT_THAT(message_of([&] { spec.get("train."); }), HasSubstr("unknown option 'train.'"));
  EXPECT_THAT(message_of([] { paper_spec("stfm"); }), HasSubstr("stfn"));
}

TEST(ATrainSpec, of_a_file_has_its_stages_and_refuses_its_mistakes) {
  const TempDir dir;
  std::ofstream(dir / "good.toml") << "[train]\nepochs = 3\n[[stage]]\nname = \"one\"\n[[stage]]\nname = \"two\"\n";
  std::ofstream(dir / "bad.toml") << "[trian]\nepochs = 3\n";
  const TrainSpec spec = TrainSpec::read(dir / "good.toml");
  EXPECT_EQ(spec.get("train.epochs"), "3");
  EXPECT_THAT(spec.stages(), ElementsAre("one", "two"));
  EXPECT_THAT(message_of([&] { TrainSpec::read(dir / "bad.toml"); }), HasSubstr("the nearest is 'train'"));
}

class ATraining : public ::testing::Test {
 protected:
  void SetUp() override {
    data::SynthesisOptions options;
    options.out = dir_ / "clips";
    options.classes = {"stand_up", "sit_down"};
    options.clips_per_class = 4;
    options.test_share = 0.25;
    options.min_width = options.max_width = 96;
    options.min_height = options.max_height = 80;
    options.min_frames = options.max_frames = 12;
    data_ = data::synthesise(options).labels_csv;
  }

  TrainRequest request(const std::string& output) const {
    TrainRequest request;
    request.spec = paper_spec("tsn");
    request.spec.set("network.backbone", "resnet18").set("network.width", "0.125").set("network.segments", "2");
    request.spec.set("network.streams", "rgb").set("preprocess.motion", "none");
    request.spec.set("preprocess.input_size", "32").set("preprocess.short_side", "36");
    request.spec.set("train.epochs", "3").set("train.batch_size", "2").set("train.threads", "1").set("train.workers", "1");
    request.spec.set("data.group", "part").set("data.fold", "test");
    request.data = data_;
    request.output = dir_ / output;
    return request;
  }

  TempDir dir_;
  std::string data_;
};

TEST_F(ATraining, that_is_stopped_and_gone_on_with_makes_the_model_of_one_that_is_not) {
  std::vector<std::int64_t> told;
  TrainHooks hooks;
  hooks.epoch = [&](const EpochRecord& record) { told.push_back(record.epoch); };
  const TrainOutcome whole = train(request("whole.actio"), hooks);
  EXPECT_THAT(told, ElementsAre(1, 2, 3));
  EXPECT_EQ(whole.epochs.size(), 3U);
  EXPECT_EQ(whole.test_clips, 2);
  EXPECT_GE(whole.test_top1, 0);

  std::stop_source stop;
  hooks.epoch = [&](const EpochRecord&) { stop.request_stop(); };
  hooks.stop = stop.get_token();
  TrainRequest again = request("parts.actio");
  EXPECT_THROW(train(again, hooks), Error);
  again.existing = Existing::kResume;
  const TrainOutcome rest = train(again);
  EXPECT_EQ(rest.epochs.size(), 2U);
  EXPECT_EQ(Model::open(again.output).hash(), Model::open(dir_ / "whole.actio").hash());
}

Network own_network(std::int64_t classes, std::int64_t channels = 8) {
  NetworkBuilder b("mine", 2, {.size = 32, .short_side = 36});
  const Value x = b.conv2d("rgb.conv", b.input(InputSpec::of("rgb", InputKind::kFrame, 32)), {.channels = channels, .kernel = 3, .stride = 2, .bias = true});
  const Value feature = b.apply("global_avg_pool", "pool", {b.relu("relu", x)});
  const Value scores = b.linear("classifier", b.apply("segment_mean", "mean", {feature}), classes);
  b.head("clip", scores);
  return b.finish(scores, b.apply("softmax", "probabilities", {scores}));
}

TEST_F(ATraining, of_a_network_of_ones_own_is_stopped_resumed_and_told_from_others) {
  const auto own_request = [&](const std::string& output) {
    TrainRequest own = request(output);
    own.spec = {};
    own.spec.set("train.epochs", "3").set("train.batch_size", "2").set("train.threads", "1").set("train.workers", "1");
    own.spec.set("data.group", "part").set("data.fold", "test");
    own.network = own_network(2);
    return own;
  };
  const TrainRequest whole = own_request("whole.actio");
  EXPECT_EQ(train(whole).epochs.size(), 3U);
  EXPECT_EQ(Model::open(whole.output).network(), "mine");
  std::stop_source stop;
  TrainHooks hooks;
  hooks.epoch = [&](const EpochRecord&) { stop.request_stop(); };
  hooks.stop = stop.get_token();
  TrainRequest again = own_request("parts.actio");
  EXPECT_THROW(train(again, hooks), Error);
  again.existing = Existing::kResume;
  TrainRequest other = again;
  other.network = own_network(2, 9);
  EXPECT_THAT(message_of([&] { train(other); }), HasSubstr("own_network"));
  train(again);
  EXPECT_EQ(Model::open(again.output).hash(), Model::open(whole.output).hash());
  // What a network knows goes to the next one that has its tensors.
  TrainRequest next = own_request("next.actio");
  next.init = {whole.output};
  std::string said;
  hooks = {};
  hooks.say = [&](const std::string& line) { said += line + "\n"; };
  train(next, hooks);
  EXPECT_THAT(said, HasSubstr("loaded 4"));

  other = own_request("other.actio");
  other.network = own_network(3);
  EXPECT_THAT(message_of([&] { train(other); }), HasSubstr("mine: the data have 2 classes, the network's output has shape [3]"));
  other = own_request("other.actio");
  other.spec.set("network.backbone", "resnet18");
  EXPECT_THAT(message_of([&] { train(other); }), HasSubstr("mine: is a network of one's own, for which network.backbone has no use"));
}

// Both sides have threads, OpenMP and caches of one process.
TEST_F(ATraining, and_recognition_beside_it_give_what_each_gives_alone) {
  testing::write_tiny_model(dir_ / "other.actio", "if_ttn", "mv");
  const std::string clip = dir_ / "clips/stand_up/stand_up_g001.mp4";
  const Recognizer recognizer(Model::open(dir_ / "other.actio"), {.run = {.threads = 1}});
  const Recognition alone = recognizer.recognize(clip);
  train(request("alone.actio"));

  std::atomic<bool> trained = false;
  std::jthread trainer([&] {
    train(request("beside.actio"));
    trained = true;
  });
  int recognised = 0;
  do {
    const Recognition beside = recognizer.recognize(clip);
    ASSERT_EQ(std::memcmp(beside.scores.raw(), alone.scores.raw(), alone.scores.bytes()), 0) << recognised;
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(recognizer.recognize(clip, stop.get_token()), Error);
    ++recognised;
  } while (!trained);
  trainer.join();
  EXPECT_EQ(Model::open(dir_ / "beside.actio").hash(), Model::open(dir_ / "alone.actio").hash());
}

TEST_F(ATraining, that_contradicts_itself_is_refused_before_anything_is_written) {
  TrainRequest wrong = request("wrong.actio");
  wrong.partial = true;
  EXPECT_THAT(message_of([&] { train(wrong); }), HasSubstr("partial"));
  EXPECT_FALSE(std::filesystem::exists(wrong.output));
}

}  // namespace
}  // namespace actio
