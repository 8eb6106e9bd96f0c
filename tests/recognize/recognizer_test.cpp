// Recognition as a library: from many threads, stopped, with what a caller asks to be kept.
#include "recognize/recognizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "core/error.h"
#include "recognize/answer_json.h"
#include "recognize/recognize_all.h"
#include "recognize/tiny.h"
#include "support/compare.h"
#include "support/shared_data.h"
#include "support/stalling_source.h"

namespace actio::recognize {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempDir;
using testing::write_clips;
using testing::write_tiny_model;

bool same_bytes(const Tensor& a, const Tensor& b) {
  const auto left = a.values<float>(), right = b.values<float>();
  return left.size() == right.size() && std::memcmp(left.data(), right.data(), left.size_bytes()) == 0;
}

RecognizeOptions one_thread() {
  RecognizeOptions options;
  options.run.threads = 1;
  return options;
}

class OfATinyModel : public ::testing::Test {
 protected:
  void SetUp() override { write_tiny_model(model_, "if_ttn", "mv"); }

  TempDir dir_;
  std::string model_ = dir_ / "model.actio";
};

using ARecognizer = OfATinyModel;

TEST_F(ARecognizer, gives_eight_threads_the_bytes_that_it_gives_one) {
  const std::vector<std::string> clips = write_clips(dir_, 16);
  const Recognizer recognizer(model_, one_thread());
  std::vector<Recognition> alone;
  for (const std::string& clip : clips) alone.push_back(recognizer.recognize(clip));
  std::vector<Recognition> together(clips.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < clips.size(); i += 8) together[i] = recognizer.recognize(clips[i]);
      });
    }
  }
  for (std::size_t i = 0; i < clips.size(); ++i) {
    EXPECT_TRUE(same_bytes(alone[i].scores, together[i].scores)) << clips[i];
    EXPECT_TRUE(same_bytes(alone[i].probabilities, together[i].probabilities)) << clips[i];
    EXPECT_EQ(alone[i].sampled, together[i].sampled);
  }
}

TEST_F(ARecognizer, says_that_it_may_be_none_of_the_classes_where_its_heads_were_fitted) {
  const std::string clip = write_clips(dir_, 1).front();
  const Recognizer plain(model_, one_thread());
  EXPECT_EQ(plain.reject_below(), 0);
  EXPECT_FALSE(to_json(plain.recognize(clip), plain, clip, 1).contains("rejected"));
  net::Model fitted = net::read_model(model_);
  fitted.training["heads"] = {{"reject_below", 0.999}};
  const Recognizer careful(fitted, "fitted", one_thread());
  const Json answer = to_json(careful.recognize(clip), careful, clip, 1);
  EXPECT_EQ(answer.at("reject_below"), 0.999);
  EXPECT_EQ(answer.at("rejected"), true);
  fitted.training["heads"] = "of another time";
  EXPECT_EQ(Recognizer(fitted, "odd", one_thread()).reject_below(), 0);
  RecognizeOptions of_one_head = one_thread();
  of_one_head.head = "ttn";
  fitted.training["heads"] = {{"reject_below", 0.999}};
  EXPECT_EQ(Recognizer(fitted, "head", of_one_head).reject_below(), 0) << "it was fitted for all of them together";
}

TEST_F(ARecognizer, gives_eight_threads_the_bytes_that_it_gives_one_on_real_clips) {
  const std::string folder = testing::shared_file("data/ucf101");
  ACTIO_NEEDS_SHARED(folder);
  std::vector<std::string> clips;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".avi") clips.push_back(entry.path().string());
  }
  ASSERT_EQ(clips.size(), 52U);
  const Recognizer recognizer(model_, one_thread());
  std::vector<Recognition> together(clips.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < clips.size(); i += 8) together[i] = recognizer.recognize(clips[i]);
      });
    }
  }
  for (std::size_t i = 0; i < clips.size(); ++i) EXPECT_TRUE(same_bytes(together[i].scores, recognizer.recognize(clips[i]).scores)) << clips[i];
}

TEST_F(ARecognizer, that_is_stopped_does_not_disturb_another_one) {
  const std::vector<std::string> clips = write_clips(dir_, 3);
  write_tiny_model(dir_ / "frames.actio", "tsn", "none");
  const Recognizer stopped(model_, one_thread()), other(dir_ / "frames.actio", one_thread());
  const Recognition before = other.recognize(clips[0]);
  std::stop_source stop;
  stop.request_stop();
  try {
    stopped.recognize(clips[0], stop.get_token());
    FAIL() << "was not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
  EXPECT_TRUE(same_bytes(other.recognize(clips[0]).scores, before.scores));
  EXPECT_EQ(stopped.recognize(clips[1]).scores.numel(), 3);  // and goes on when it is asked again
}

TEST_F(ARecognizer, answers_inputs_that_are_preprocessed_as_it_answers_their_video) {
  const std::string clip = write_clips(dir_, 1)[0];
  const Recognizer recognizer(model_, one_thread());
  const Recognition of_video = recognizer.recognize(clip);
  const Recognition of_inputs = recognizer.recognize(recognizer.read(clip, 0).inputs);
  EXPECT_TRUE(same_bytes(of_video.scores, of_inputs.scores));
  EXPECT_GT(of_video.timings.read_seconds, 0);
  EXPECT_GT(of_video.timings.network_seconds, 0);
}

TEST_F(ARecognizer, keeps_the_values_that_it_is_asked_for) {
  RecognizeOptions options = one_thread();
  options.keep = {"rgb.layer4.1.relu2", "ttn.fc"};
  const std::string clip = write_clips(dir_, 1)[0];
  const Recognizer plain(model_, one_thread());
  const net::NetSpec& spec = plain.model().spec;
  // Whatever the nodes are called: one of a snippet, one of a pair or clip.
  std::string snippet, later;
  for (const net::Node& node : spec.nodes) {
    if (node.op == net::Op::kRelu && snippet.empty()) snippet = node.name;
    if (node.name.starts_with("ttn.")) later = node.name;
  }
  options.keep = {snippet, later};
  const Recognizer keeping(model_, options);
  const Recognition recognition = keeping.recognize(clip);
  ASSERT_EQ(recognition.kept.size(), 1U);  // one view
  EXPECT_EQ(recognition.kept[0].at(snippet).dim(0), spec.segments);
  EXPECT_EQ(recognition.kept[0].at(snippet).shape().size(), 4U);
  EXPECT_TRUE(recognition.kept[0].contains(later));
  EXPECT_TRUE(testing::close(recognition.scores, plain.recognize(clip).scores, 1e-5));
}

TEST_F(ARecognizer, names_the_nearest_value_where_one_to_keep_does_not_exist) {
  RecognizeOptions options = one_thread();
  options.keep = {"rgb.layer4.1.rel2"};
  try {
    const Recognizer recognizer(model_, options);
    FAIL() << "took a name that is none";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("the nearest is"));
  }
}

TEST_F(ARecognizer, orders_its_classes_by_probability) {
  const Recognizer recognizer(model_, one_thread());
  const Recognition recognition = recognizer.recognize(write_clips(dir_, 1)[0]);
  const std::vector<ClassScore> best = recognizer.top(recognition, 10);
  ASSERT_EQ(best.size(), 3U);  // as many as there are
  EXPECT_GE(best[0].probability, best[1].probability);
  EXPECT_GE(best[1].probability, best[2].probability);
  EXPECT_EQ(best[0].label, recognizer.model().classes[static_cast<std::size_t>(best[0].index)]);
}

TEST_F(ARecognizer, can_be_handed_on) {
  const std::string clip = write_clips(dir_, 1)[0];
  Recognizer first(model_, one_thread());
  const Recognition before = first.recognize(clip);
  const Recognizer second = std::move(first);
  EXPECT_TRUE(same_bytes(second.recognize(clip).scores, before.scores));
}

using ManyVideos = OfATinyModel;

TEST_F(ManyVideos, are_answered_in_their_order_with_the_reason_of_those_that_cannot_be_read) {
  std::vector<std::string> clips = write_clips(dir_, 5);
  clips.insert(clips.begin() + 2, dir_ / "missing.mp4");
  const Recognizer recognizer(model_, one_thread());
  std::vector<std::size_t> order;
  std::vector<std::int64_t> progress;
  recognize_all(
      recognizer, clips,
      [&](std::size_t i, const Answer& answer) {
        order.push_back(i);
        EXPECT_EQ(std::holds_alternative<Error>(answer), i == 2);
        if (i == 2) EXPECT_THAT(std::get<Error>(answer).what(), HasSubstr("missing.mp4: no such file"));
        else EXPECT_TRUE(same_bytes(std::get<Recognition>(answer).scores, recognizer.recognize(clips[i]).scores));
      },
      3, {.progress = [&](const ProgressReport& at) { progress.push_back(at.done); }, .warn = {}, .stop = {}});
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(progress, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(ManyVideos, have_networks_beside_each_other_and_the_bytes_of_one_after_the_other) {
  std::vector<std::string> clips = write_clips(dir_, 9);
  clips.push_back(dir_ / "missing.mp4");
  const Recognizer alone(model_, one_thread());
  RecognizeOptions options = one_thread();
  options.at_once = 100;
  EXPECT_EQ(Recognizer(model_, options).at_once(), 1) << "one thread for all of them";
  options.run.threads = 3;
  const Recognizer recognizer(model_, options);
  EXPECT_EQ(recognizer.at_once(), 3);
  EXPECT_EQ(recognizer.attributes().threads, 1) << "of each network";
  options.read.memory = 1;
  options.protocol = {.segments = 0, .places = {0.2, 0.8}, .crops = data::ViewCrops::kThree};
  RecognizeOptions one_by_one = options;
  one_by_one.at_once = 1;
  const Recognizer in_parts(model_, options), parts_alone(model_, one_by_one);
  EXPECT_EQ(in_parts.parts(), 6U);
  std::vector<std::size_t> order;
  for (const auto& [many, one] : {std::pair(&recognizer, &alone), std::pair(&in_parts, &parts_alone)}) {
    recognize_all(*many, clips, [&](std::size_t i, const Answer& answer) {
      order.push_back(i);
      if (i == 9) EXPECT_TRUE(std::holds_alternative<Error>(answer));
      else EXPECT_TRUE(same_bytes(std::get<Recognition>(answer).scores, one->recognize(clips[i]).scores)) << i;
    }, 2);
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(ManyVideos, end_where_a_stop_is_requested_and_keep_what_was_answered) {
  const std::vector<std::string> clips = write_clips(dir_, 6);
  const Recognizer recognizer(model_, one_thread());
  std::stop_source stop;
  std::size_t answered = 0;
  const auto take = [&](std::size_t, const Answer&) {
    if (++answered == 2) stop.request_stop();
  };
  EXPECT_THROW(recognize_all(recognizer, clips, take, 2, {.progress = {}, .warn = {}, .stop = stop.get_token()}), Error);
  EXPECT_EQ(answered, 2U);
}

TEST_F(ManyVideos, past_a_limit_are_answered_with_it_and_the_next_one_is_read) {
  const std::vector<std::string> clips = write_clips(dir_, 3);
  testing::write_synthetic_clip({.path = dir_ / "large.mp4", .frames = 9, .width = 320, .height = 240});
  RecognizeOptions options = one_thread();
  options.read.limits = {.max_pixels = 128 * 96, .max_seconds = 5};
  const Recognizer recognizer(model_, options);
  const video::Source camera = testing::stalling_source(clips[1], 0.5, "camera");
  const std::vector<video::Source> videos = {clips[0], camera, clips[1], dir_ / "large.mp4", clips[2]};
  std::vector<std::string> errors;
  recognize_all(recognizer, videos, [&](std::size_t, const Answer& answer) {
    const Error* error = std::get_if<Error>(&answer);
    errors.emplace_back(error ? error->what() : "");
    EXPECT_TRUE(!error || error->code() == ErrorCode::kBadData);
  }, 2);
  EXPECT_THAT(errors, ElementsAre("", ::testing::MatchesRegex("camera: reading it took [0-9.]+ s, at most 5 s are given .--max-seconds."), "",
                                  HasSubstr("large.mp4: claims 320 x 240 pixels, 76800 in all; at most 12288 a frame are read"), ""));
  options.read.limits.max_seconds = 0.3;
  const Recognizer hurried(model_, options);
  EXPECT_THROW(hurried.recognize(camera), Error);
}

TEST_F(ManyVideos, become_the_json_that_programs_print) {
  const std::vector<std::string> clips = {write_clips(dir_, 1)[0], dir_ / "missing.mp4"};
  const Recognizer recognizer(model_, one_thread());
  std::vector<Json> lines;
  recognize_all(recognizer, clips, [&](std::size_t i, const Answer& answer) { lines.push_back(to_json(answer, recognizer, clips[i], 2)); }, 1);
  EXPECT_EQ(lines[0].at("video"), clips[0]);
  EXPECT_EQ(lines[0].at("top").size(), 2U);
  EXPECT_EQ(lines[0].at("sampled_frames").size(), 3U);
  EXPECT_FALSE(lines[0].contains("error"));
  EXPECT_THAT(lines[1].at("error").get<std::string>(), HasSubstr("no such file"));
}

}  // namespace
}  // namespace actio::recognize
