// A window that moves along a video is answered as recognition answers its snippets, and no snippet is computed twice.
#include "stream/segment_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "net/zoo.h"
#include "recognize/quantize.h"
#include "recognize/recognizer.h"
#include "recognize/tiny.h"
#include "stream/events.h"
#include "stream/streams.h"
#include "support/shared_data.h"

namespace actio::stream {
namespace {

using ::testing::ElementsAre;
using testing::SyntheticClip;
using testing::write_tiny_model;

// Counts what a network is asked for.
class Counting final : public net::Classifier {
 public:
  explicit Counting(net::Classifier& network) : network_(network) {}
  const net::NetSpec& spec() const override { return network_.spec(); }
  void run(const TensorMap& inputs, TensorMap& results) override { network_.run(inputs, results); }
  void run_snippets(const TensorMap& inputs, TensorMap& results) override {
    snippets += inputs.begin()->second.dim(0);
    network_.run_snippets(inputs, results);
  }
  void run_pairs(const TensorMap& earlier, const TensorMap& later, TensorMap& results) override {
    ++pairs;
    network_.run_pairs(earlier, later, results);
  }
  void run_clip(const TensorMap& snippet, const TensorMap& pair, TensorMap& results) override {
    ++clips;
    network_.run_clip(snippet, pair, results);
  }
  std::int64_t snippets = 0, pairs = 0, clips = 0;

 private:
  net::Classifier& network_;
};

class ASegmentStream : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_ticking_clip(clip_, testing::quick_then_slow); }

  static recognize::RecognizeOptions one_thread(runtime::Precision precision = runtime::Precision::kF32) {
    recognize::RecognizeOptions options;
    options.run.threads = 1;
    options.run.precision = precision;
    return options;
  }
  std::vector<Decision> decisions(const recognize::Recognizer& recognizer, const std::vector<Snippet>& snippets, std::int64_t step = 1) {
    const auto session = recognizer.lend();
    Counting network(*session);
    SegmentStream stream(network, [&](const TensorMap& values) { return recognizer.answer_in(values); }, step);
    std::vector<Decision> made;
    for (const Snippet& snippet : snippets) {
      if (auto decision = stream.add(snippet)) made.push_back(std::move(*decision));
    }
    snippets_run_ = network.snippets;
    pairs_run_ = network.pairs;
    clips_run_ = network.clips;
    return made;
  }
  // Every window of the clip, against recognition of its snippets.
  void expect_the_bits_of_recognition(const recognize::Recognizer& recognizer) {
    const std::vector<Snippet> snippets = testing::snippets_of(clip_.path, recognizer.model().inputs, 0.3);
    ASSERT_EQ(snippets.size(), 24U);
    expect_the_bits_of_recognition(recognizer, snippets);
  }
  void expect_the_bits_of_recognition(const recognize::Recognizer& recognizer, const std::vector<Snippet>& snippets) {
    const std::vector<Decision> streamed = decisions(recognizer, snippets);
    const auto segments = static_cast<std::size_t>(recognizer.model().spec.segments);
    ASSERT_EQ(streamed.size(), snippets.size() - segments + 1);
    for (std::size_t i = 0; i < streamed.size(); ++i) {
      const recognize::Recognition whole = recognizer.recognize(testing::joined(std::span(snippets).subspan(i, segments)));
      EXPECT_TRUE(testing::same_bytes(streamed[i].scores, whole.scores)) << i;
      EXPECT_TRUE(testing::same_bytes(streamed[i].probabilities, whole.probabilities)) << i;
    }
    EXPECT_FALSE(testing::same_bytes(streamed.front().scores, streamed.back().scores)) << "windows differ";
  }

  testing::TempDir dir_;
  SyntheticClip clip_{.path = dir_ / "clip.mp4", .frames = 60, .dx = 1.5, .dy = -1};  // with B-frames, at a variable rate; 7.2 s
  std::string model_ = dir_ / "m.actio";
  std::int64_t snippets_run_ = 0, pairs_run_ = 0, clips_run_ = 0;
};

TEST_F(ASegmentStream, gives_the_bits_of_recognition_for_every_network_of_the_zoo) {
  for (const std::string& network : net::network_names()) {
    SCOPED_TRACE(network);
    write_tiny_model(model_, network, "mv");
    expect_the_bits_of_recognition(recognize::Recognizer(model_, one_thread()));
  }
}

TEST_F(ASegmentStream, gives_the_bits_of_recognition_for_every_motion) {
  for (const char* motion : {"none", "rgbdiff", "flow"}) {
    SCOPED_TRACE(motion);
    write_tiny_model(model_, motion == std::string("none") ? "tsn" : "if_ttn", motion);
    expect_the_bits_of_recognition(recognize::Recognizer(model_, one_thread()));
  }
}

TEST_F(ASegmentStream, gives_the_bits_of_recognition_on_real_clips) {
  const std::string folder = testing::shared_file("data/ucf101");
  ACTIO_NEEDS_SHARED(folder);
  write_tiny_model(model_, "if_ttn", "mv");
  const recognize::Recognizer recognizer(model_, one_thread());
  int clips = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".avi") continue;
    SCOPED_TRACE(entry.path().string());
    ++clips;
    expect_the_bits_of_recognition(recognizer, testing::snippets_of(entry.path(), recognizer.model().inputs, 0.4));
  }
  EXPECT_EQ(clips, 52);
}

TEST_F(ASegmentStream, gives_the_bits_of_recognition_for_one_head) {
  write_tiny_model(model_, "if_ttn", "mv");
  recognize::RecognizeOptions options = one_thread();
  options.head = "ttn";
  expect_the_bits_of_recognition(recognize::Recognizer(model_, options));
}

TEST_F(ASegmentStream, gives_the_bits_of_recognition_in_8_bits) {
  for (const char* network : {"if_ttn", "stfn", "tsn"}) {
    SCOPED_TRACE(network);
    write_tiny_model(model_, network, "mv");
    const std::vector<std::string> clips = testing::write_clips(dir_, 4);
    std::ofstream list(dir_ / "labels.csv");
    list << "path,label\n";
    for (const std::string& clip : clips) list << clip << ",clap\n";
    list.close();
    recognize::QuantizeRequest request;
    request.model = model_;
    request.data = dir_ / "labels.csv";
    request.output = dir_ / "q.actio";
    request.runtime.threads = 1;
    recognize::quantize(request);
    expect_the_bits_of_recognition(recognize::Recognizer(dir_ / "q.actio", one_thread(runtime::Precision::kInt8)));
  }
}

TEST_F(ASegmentStream, computes_each_snippet_and_each_pair_once_however_many_windows_they_are_in) {
  write_tiny_model(model_, "if_ttn", "mv");
  const recognize::Recognizer recognizer(model_, one_thread());
  const std::vector<Snippet> snippets = testing::snippets_of(clip_.path, recognizer.model().inputs, 0.3);
  for (const std::size_t count : {3U, 4U, 5U, 24U}) {
    const std::vector<Snippet> some(snippets.begin(), snippets.begin() + static_cast<std::ptrdiff_t>(count));
    EXPECT_EQ(decisions(recognizer, some).size(), count - 2);
    EXPECT_EQ(snippets_run_, static_cast<std::int64_t>(count));
    EXPECT_EQ(pairs_run_, static_cast<std::int64_t>(count) - 1);
    EXPECT_EQ(clips_run_, static_cast<std::int64_t>(count) - 2);
  }
}

TEST_F(ASegmentStream, decides_at_every_step_and_says_which_window_it_was) {
  write_tiny_model(model_, "if_ttn", "mv");
  const recognize::Recognizer recognizer(model_, one_thread());
  const std::vector<Snippet> snippets = testing::snippets_of(clip_.path, recognizer.model().inputs, 0.9);
  ASSERT_EQ(snippets.size(), 8U);
  const std::vector<Decision> all = decisions(recognizer, snippets), some = decisions(recognizer, snippets, 2);
  EXPECT_EQ(clips_run_, 3);
  ASSERT_EQ(some.size(), 3U);
  EXPECT_NEAR(some[1].begin, 1.8, 1e-9);
  EXPECT_NEAR(some[1].end, 4.5, 1e-9);
  EXPECT_THAT(some[1].frames, ElementsAre(35, 39, 44));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(testing::same_bytes(some[i].scores, all[2 * i].scores));
  EXPECT_THROW(decisions(recognizer, snippets, 0), Error);
}

// Says "bright" with the brightness of its snippets, and "dark" with what is left.
class Brightness final : public net::Classifier {
 public:
  Brightness() { spec_.segments = 3; }
  const net::NetSpec& spec() const override { return spec_; }
  void run(const TensorMap&, TensorMap&) override { FAIL() << "a stream does not run whole clips"; }
  void run_snippets(const TensorMap& inputs, TensorMap& results) override {
    double sum = 0;
    const auto pixels = inputs.at("rgb").values<float>();
    for (const float x : pixels) sum += x;
    results["mean"] = Tensor::of({1, 1}, std::vector<float>{static_cast<float>(sum / static_cast<double>(pixels.size()))});
  }
  void run_pairs(const TensorMap&, const TensorMap&, TensorMap&) override {}
  void run_clip(const TensorMap& snippets, const TensorMap&, TensorMap& results) override {
    float mean = 0;
    for (const float x : snippets.at("mean").values<float>()) mean += x / 3;
    results["answer"] = Tensor::of({2}, std::vector<float>{mean, 1 - mean});
  }

 private:
  net::NetSpec spec_;
};

TEST(TwoActionsInOneVideo, are_found_where_they_are) {
  const testing::TempDir dir;
  video::EncoderOptions options;
  options.width = 64;
  options.height = 48;
  video::Encoder encoder(dir / "two.mp4", options);
  for (int t = 0; t < 300; ++t) {
    Tensor rgb({48, 64, 3}, DType::kU8);
    std::ranges::fill(rgb.values<std::uint8_t>(), t < 110 ? std::uint8_t{12} : std::uint8_t{243});
    encoder.write(rgb);
  }
  encoder.close();
  Preprocess preprocess;
  preprocess.input_size = 16;
  preprocess.short_side = 16;
  preprocess.rgb_mean = {0, 0, 0};
  preprocess.rgb_std = {255, 255, 255};
  Brightness network;
  SegmentStream stream(network, [](const TensorMap& values) { return recognize::VideoScores{values.at("answer"), values.at("answer")}; });
  EventMaker maker({.enter = 0.6, .leave = 0.5}, {"bright", "dark"});
  std::vector<Event> events;
  std::size_t decisions = 0;
  const auto keep = [&](const std::vector<Event>& more) { events.insert(events.end(), more.begin(), more.end()); };
  for (const Snippet& snippet : testing::snippets_of(dir / "two.mp4", inputs_of({"rgb"}, preprocess), 0.4)) {
    const std::optional<Decision> decision = stream.add(snippet);
    if (!decision) continue;
    EXPECT_NEAR(decision->begin, 0.4 * static_cast<double>(decisions), 1e-9);
    EXPECT_NEAR(decision->end - decision->begin, 1.2, 1e-9);
    ++decisions;
    keep(maker.add(*decision));
  }
  keep(maker.finish());
  EXPECT_EQ(decisions, 28U);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].label, "dark");
  EXPECT_EQ(events[1].label, "bright");
  EXPECT_EQ(events[0].start, 0);
  EXPECT_NEAR(events[0].end, 4.4, 0.4) << "as close as snippets lie";
  EXPECT_EQ(events[1].start, events[0].end);
  EXPECT_NEAR(events[1].end, 12, 1e-9);
  EXPECT_GT(events[1].peak, 0.9);
}

}  // namespace
}  // namespace actio::stream
