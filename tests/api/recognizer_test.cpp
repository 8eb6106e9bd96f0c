// What a program over include/actio recognises.
#include <actio/recognizer.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>

#include "api/sources.h"
#include "recognize/tiny.h"

namespace actio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempDir;

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

void expect_same(const Recognition& a, const Recognition& b, const std::string& what) {
  EXPECT_TRUE(same_bytes(a.probabilities, b.probabilities)) << what;
  EXPECT_TRUE(same_bytes(a.scores, b.scores)) << what;
  EXPECT_EQ(a.sampled, b.sampled) << what;
  EXPECT_EQ(a.frames, b.frames) << what;
}

template <typename Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kInternal, "nothing was thrown");
}

class OverTheInterface : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_tiny_model(model_, "if_ttn", "mv");
    clips_ = testing::write_clips(dir_, 3);
  }

  static RecognizeOptions options() { return {.run = {.threads = 1}}; }

  TempDir dir_;
  std::string model_ = dir_ / "model.actio";
  std::vector<std::string> clips_;
};

TEST_F(OverTheInterface, a_model_tells_what_it_is) {
  const Model model = Model::open(model_);
  EXPECT_THAT(model.classes(), ElementsAre("clap", "jump", "wave"));
  EXPECT_THAT(model.heads(), ElementsAre("rgb", "motion", "ttn"));
  EXPECT_EQ(model.segments(), 3);
  ASSERT_EQ(model.inputs().list.size(), 2U);
  EXPECT_EQ(model.inputs().list[1].name, "motion");
  EXPECT_EQ(model.inputs().list[1].row(), (Shape{4, 32, 32}));
  EXPECT_EQ(model.inputs().list[1].kind, InputKind::kVectors);
  EXPECT_EQ(model.inputs().list[1].length, 2);
  EXPECT_EQ(model.inputs().list[0].mean.size(), 3U);
  EXPECT_THAT(model.preprocess(), HasSubstr("\"name\":\"motion\",\"kind\":\"mv\""));
  EXPECT_THAT(model.describe(), HasSubstr(model.network()));
  EXPECT_EQ(model.hash().size(), 32U);
}

TEST_F(OverTheInterface, a_model_of_bytes_is_that_of_the_file_and_damage_is_told_by_its_name) {
  std::vector<char> bytes = *testing::bytes_of(model_);
  const Model model = Model::from_bytes(std::as_bytes(std::span(bytes)), "from the network");
  EXPECT_EQ(model.hash(), Model::open(model_).hash());
  EXPECT_EQ(model.name(), "from the network");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  const Error error = error_of([&] { Model::from_bytes(std::as_bytes(std::span(bytes)), "from the network"); });
  EXPECT_EQ(error.code(), ErrorCode::kBadData);
  EXPECT_THAT(error.what(), HasSubstr("from the network: is damaged"));
}

TEST_F(OverTheInterface, memory_and_functions_give_the_bytes_that_the_file_gives) {
  for (const std::size_t memory : {std::size_t{128} << 20, std::size_t{1}}) {  // all views at once; a part for each of them
    RecognizeOptions several = options();
    several.read.memory = memory;
    several.protocol = {.places = {0.25, 0.75}, .crops = "three"};
    const Recognizer recognizer(Model::open(model_), several);
    for (const std::string& clip : clips_) {
      const Recognition of_file = recognizer.recognize(clip);
      EXPECT_EQ(of_file.sampled.size(), 18U);
      expect_same(recognizer.recognize(testing::memory_source(clip)), of_file, "memory");
      expect_same(recognizer.recognize(testing::functions_source(clip, true)), of_file, "functions that seek");
      expect_same(recognizer.recognize(testing::functions_source(clip, false)), of_file, "functions that do not seek");
    }
  }
}

TEST_F(OverTheInterface, many_videos_of_any_kind_are_answered_in_their_order) {
  for (const std::size_t memory : {std::size_t{128} << 20, std::size_t{1}}) {
    RecognizeOptions several = options();
    several.read.memory = memory;
    several.protocol = {.crops = "three"};
    const Recognizer recognizer(Model::open(model_), several);
    const std::vector<VideoSource> videos = {clips_[0], testing::functions_source(clips_[1], false), "missing.mp4",
                                             testing::memory_source(clips_[2]), testing::functions_source(clips_[0], true)};
    const std::vector<std::string> files = {clips_[0], clips_[1], "", clips_[2], clips_[0]};
    std::size_t next = 0;
    std::int64_t told = 0;
    const auto take = [&](std::size_t i, const Answer& answer) {
      ASSERT_EQ(i, next++);
      if (files[i].empty()) {
        EXPECT_THAT(std::get<Error>(answer).what(), HasSubstr("missing.mp4: no such file"));
        EXPECT_THAT(recognizer.to_json(answer, "missing.mp4"), HasSubstr(R"({"video":"missing.mp4","error":")"));
      } else {
        expect_same(std::get<Recognition>(answer), recognizer.recognize(files[i]), videos[i].name());
      }
    };
    recognizer.recognize_all(videos, take, 3, {.progress = [&](const ProgressReport& report) { told = report.done; }});
    EXPECT_EQ(next, videos.size());
    EXPECT_EQ(told, 5);
  }
}

TEST_F(OverTheInterface, what_a_function_throws_arrives_and_the_next_video_is_read) {
  const Recognizer recognizer(Model::open(model_), options());
  const auto away = [](std::span<std::byte>, const std::stop_token&) -> std::size_t { throw Error(ErrorCode::kFailed, "the archive is away"); };
  EXPECT_STREQ(error_of([&] { recognizer.recognize(VideoSource::callback(away, nullptr, "a.mp4")); }).what(), "the archive is away");
  EXPECT_EQ(recognizer.recognize(clips_[0]).scores.numel(), 3);
}

TEST_F(OverTheInterface, two_recognisers_with_other_options_and_one_that_is_stopped_leave_each_other_alone) {
  const Model model = Model::open(model_);
  const Recognizer all(model, options());
  RecognizeOptions other = options();
  other.head = "motion";
  other.keep = {"rgb.stage3"};
  const Recognizer of_motion(model, other);
  const Recognition all_before = all.recognize(clips_[0]), motion_before = of_motion.recognize(clips_[0]);
  EXPECT_FALSE(same_bytes(all_before.scores, motion_before.scores));
  ASSERT_EQ(motion_before.kept.size(), 1U);
  EXPECT_EQ(motion_before.kept[0].at("rgb.stage3").dim(0), 3);

  std::stop_source stop;
  const auto waits = [&](std::span<std::byte>, const std::stop_token& token) -> std::size_t {
    stop.request_stop();
    EXPECT_TRUE(token.stop_requested());
    return 0;
  };
  const Error stopped = error_of([&] { all.recognize(VideoSource::callback(waits, nullptr, "endless"), stop.get_token()); });
  EXPECT_EQ(stopped.code(), ErrorCode::kInterrupted);
  expect_same(all.recognize(clips_[0]), all_before, "the one that was stopped");
  expect_same(of_motion.recognize(clips_[0]), motion_before, "the other one");
}

TEST_F(OverTheInterface, inputs_of_the_callers_own_memory_are_recognised_and_not_copied) {
  const Model model = Model::open(model_);
  const Recognizer recognizer(model, options());
  TensorMap copied, wrapped;
  for (const InputSpec& input : model.inputs().list) {
    Shape shape = {model.segments()};
    const Shape row = input.row();
    shape.insert(shape.end(), row.begin(), row.end());
    Tensor tensor(shape);
    for (std::size_t i = 0; float& value : tensor.values<float>()) value = static_cast<float>(i++ % 7) - 3;
    const std::shared_ptr<std::byte[]> memory(new std::byte[tensor.bytes()]);
    std::memcpy(memory.get(), tensor.raw(), tensor.bytes());
    copied[input.name] = tensor;
    wrapped[input.name] = Tensor::wrap(shape, DType::kF32, memory, tensor.bytes());
    EXPECT_EQ(wrapped[input.name].raw(), memory.get());
    const Error error = error_of([&] { Tensor::wrap(shape, DType::kF32, memory, tensor.bytes() - 1); });
    EXPECT_THAT(error.what(), HasSubstr("bytes, got " + std::to_string(tensor.bytes() - 1)));
  }
  expect_same(recognizer.recognize(wrapped), recognizer.recognize(copied), "wrapped");
}

TEST_F(OverTheInterface, inputs_that_are_none_of_the_networks_are_refused_with_both_shapes) {
  const Recognizer recognizer(Model::open(model_), options());
  const TensorMap good = {{"rgb", Tensor({6, 3, 32, 32})}, {"motion", Tensor({6, 4, 32, 32})}};
  EXPECT_EQ(recognizer.recognize(good).probabilities.numel(), 3);
  const auto refusal = [&](const std::string& name, const Tensor& tensor) {
    TensorMap wrong = good;
    wrong[name] = tensor;
    const Error error = error_of([&] { recognizer.recognize(wrong); });
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return std::string(error.what());
  };
  EXPECT_THAT(refusal("rgb", Tensor({6, 3, 32, 31})), HasSubstr("'rgb' must be f32 [6, 3, 32, 32], or a multiple of 3 rows for several views, got f32 [6, 3, 32, 31]"));
  EXPECT_THAT(refusal("rgb", Tensor({4, 3, 32, 32})), HasSubstr("got f32"));
  EXPECT_THAT(refusal("motion", Tensor({3, 4, 32, 32})), HasSubstr("got f32 [3, 4, 32, 32]"));
  EXPECT_THAT(refusal("motion", Tensor({6, 4, 32, 32}, DType::kU8)), HasSubstr("got u8"));
  EXPECT_THAT(refusal("motion", Tensor()), HasSubstr("got nothing"));
  EXPECT_THAT(refusal("rgb", Tensor(Shape{})), HasSubstr("got f32 []"));
  EXPECT_THAT(refusal("rbg", Tensor()), HasSubstr("the nearest is 'rgb'"));
  EXPECT_EQ(error_of([&] { recognizer.recognize(TensorMap()); }).code(), ErrorCode::kUsage);
}

TEST_F(OverTheInterface, options_that_make_no_sense_name_the_nearest) {
  const Model model = Model::open(model_);
  const auto with = [&](RecognizeOptions wrong) { return error_of([&] { Recognizer recognizer(model, wrong); }); };
  EXPECT_THAT(with({.head = "motions"}).what(), HasSubstr("the nearest is 'motion'"));
  EXPECT_THAT(with({.run = {.backend = "onednm"}}).what(), HasSubstr("onednn"));
  EXPECT_EQ(with({.protocol = {.places = {2.0}}}).code(), ErrorCode::kUsage);
  EXPECT_THAT(with({.protocol = {.crops = "tne"}}).what(), HasSubstr("unknown crops 'tne'; the nearest is 'ten'"));
  EXPECT_THAT(error_of([] { Protocol::named("tsm"); }).what(), HasSubstr("unknown protocol 'tsm'; the nearest is 'tsn'"));
  EXPECT_EQ(Protocol::named("tsn").segments, 25);
}

}  // namespace
}  // namespace actio
