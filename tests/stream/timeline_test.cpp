// A video file becomes decisions and events.
#include "stream/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "recognize/tiny.h"
#include "stream/streams.h"
#include "stream/timeline_text.h"
#include "support/shared_data.h"

namespace actio::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SyntheticClip;

class ATimeline : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_tiny_model(model_, "if_ttn", "mv"); }

  static recognize::RecognizeOptions one_thread() {
    recognize::RecognizeOptions options;
    options.run.threads = 1;
    return options;
  }
  std::string clip(const std::string& name, int frames, const std::string& codec = "libx264") const {
    testing::write_synthetic_clip({.path = dir_ / name, .codec = codec, .frames = frames, .dx = 1.5, .dy = -1, .quality = codec == "mpeg4" ? 3 : 18});
    return dir_ / name;
  }
  TimelineFacts run(const recognize::Recognizer& recognizer, const std::string& video, const TimelineOptions& options, Hooks hooks = {}) {
    decisions_.clear();
    events_.clear();
    warnings_.clear();
    hooks.warn = [this](const std::string& line) { warnings_.push_back(line); };
    const TimelineSink sink{.event = [this](const Event& event) { events_.push_back(event); },
                            .decision = [this](const Decision& decision) { decisions_.push_back(decision); }};
    return run_timeline(recognizer, video, options, sink, hooks);
  }

  testing::TempDir dir_;
  std::string model_ = dir_ / "m.actio";
  std::vector<Decision> decisions_;
  std::vector<Event> events_;
  std::vector<std::string> warnings_;
};

TEST_F(ATimeline, of_one_window_is_what_recognition_answers) {
  const recognize::Recognizer recognizer(model_, one_thread());
  const std::string video = clip("a.mp4", 60);
  const TimelineFacts facts = run(recognizer, video, {.window = 2.4});
  const recognize::Recognition whole = recognizer.recognize(video);
  ASSERT_EQ(decisions_.size(), 1U);
  EXPECT_TRUE(testing::same_bytes(decisions_[0].scores, whole.scores));
  EXPECT_EQ(decisions_[0].frames, whole.sampled);
  EXPECT_EQ(facts.frames, 60);
  EXPECT_NEAR(facts.seconds, 2.4, 1e-6);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ATimeline, of_one_window_is_what_recognition_answers_for_real_clips) {
  const std::string folder = testing::shared_file("data/ucf101");
  ACTIO_NEEDS_SHARED(folder);
  const recognize::Recognizer recognizer(model_, one_thread());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".avi") continue;
    const recognize::Recognition whole = recognizer.recognize(entry.path().string());
    const double seconds = static_cast<double>(whole.frames) / video::Decoder(entry.path().string()).info().frames_per_second;
    run(recognizer, entry.path().string(), {.window = seconds});
    ASSERT_EQ(decisions_.size(), 1U) << entry.path();
    EXPECT_EQ(decisions_[0].frames, whole.sampled) << entry.path();
    EXPECT_TRUE(testing::same_bytes(decisions_[0].scores, whole.scores)) << entry.path();
  }
}

TEST_F(ATimeline, has_a_decision_for_each_place_of_the_window) {
  const recognize::Recognizer recognizer(model_, one_thread());
  const std::string video = clip("a.mp4", 100);
  EXPECT_EQ(run(recognizer, video, {.window = 1.2}).decisions, 8) << "ten parts of 0.4 s, three a window";
  EXPECT_NEAR(decisions_[7].begin, 2.8, 1e-9);
  EXPECT_NEAR(decisions_[7].end, 4, 1e-9);
  EXPECT_EQ(run(recognizer, video, {.window = 1.2, .step = 3}).decisions, 3);
  EXPECT_NEAR(decisions_[1].begin, 1.2, 1e-9);
}

TEST_F(ATimeline, of_a_video_that_is_shorter_than_a_window_has_the_decision_of_recognition) {
  const recognize::Recognizer recognizer(model_, one_thread());
  const std::string video = clip("short.mp4", 12);
  const TimelineFacts facts = run(recognizer, video, {.window = 2, .enter = 0.01, .leave = 0.01});
  EXPECT_EQ(facts.decisions, 1);
  ASSERT_EQ(decisions_.size(), 1U);
  EXPECT_TRUE(testing::same_bytes(decisions_[0].scores, recognizer.recognize(video).scores));
  EXPECT_NEAR(decisions_[0].end, 0.48, 1e-6);
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].start, 0);
  EXPECT_NEAR(events_[0].end, 0.48, 1e-6);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("short.mp4: lasts 0.48 s, less than a window: one decision on all of it")));
}

TEST_F(ATimeline, keeps_what_was_found_before_a_damaged_tail) {
  const recognize::Recognizer recognizer(model_, one_thread());
  const std::string whole = clip("whole.avi", 100, "mpeg4"), cut = dir_ / "cut.avi";
  const std::string bytes = read_text_file(whole);
  write_file_atomically(cut, bytes.substr(0, bytes.size() * 6 / 10));
  run(recognizer, whole, {.window = 1.2});
  const std::vector<Decision> all = decisions_;
  const TimelineFacts facts = run(recognizer, cut, {.window = 1.2, .enter = 0.01, .leave = 0.01});
  ASSERT_GE(decisions_.size(), 2U);
  ASSERT_LT(decisions_.size(), all.size());
  for (std::size_t i = 0; i + 1 < decisions_.size(); ++i) EXPECT_TRUE(testing::same_bytes(decisions_[i].scores, all[i].scores)) << i;
  EXPECT_GE(events_.size(), 1U);
  EXPECT_LE(events_.back().end, facts.seconds);
  EXPECT_THAT(warnings_, ::testing::Contains(HasSubstr("cut.avi: ends after")));
}

TEST_F(ATimeline, takes_what_few_right_answers_stay_below_for_the_threshold_where_the_model_knows_it) {
  const recognize::Recognizer plain(model_, one_thread());
  EXPECT_EQ(rules_of({}, plain).enter, 0.5);
  EXPECT_EQ(rules_of({}, plain).leave, 0.375);
  net::Model fitted = net::read_model(model_);
  fitted.training["heads"] = {{"reject_below", 0.8}};
  const recognize::Recognizer careful(fitted, "fitted", one_thread());
  EXPECT_EQ(rules_of({}, careful).enter, 0.8);
  EXPECT_EQ(rules_of({.enter = 0.9, .leave = 0.2}, careful).enter, 0.9);
  EXPECT_EQ(rules_of({.enter = 0.9, .leave = 0.2}, careful).leave, 0.2);
}

TEST_F(ATimeline, of_a_codec_without_vectors_says_that_they_are_estimated_where_the_model_allows_it) {
  const std::string video = clip("h.mp4", 60, "libx265");
  net::Model codec = net::read_model(model_);
  for (InputSpec& input : codec.inputs.list) {
    if (input.kind == InputKind::kVectors) input.vectors = VectorSource::kCodec;
  }
  const recognize::Recognizer strict(codec, "codec", one_thread());
  EXPECT_THROW(run(strict, video, {}), Error);
  const recognize::Recognizer recognizer(model_, one_thread());
  run(recognizer, video, {.window = 2.4});
  ASSERT_EQ(decisions_.size(), 1U);
  EXPECT_TRUE(testing::same_bytes(decisions_[0].scores, recognizer.recognize(video).scores));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("estimated from the pictures")));
}

TEST_F(ATimeline, ends_where_a_stop_is_requested) {
  const recognize::Recognizer recognizer(model_, one_thread());
  std::stop_source stop;
  std::int64_t last = 0;
  const auto progress = [&](const ProgressReport& report) {
    last = report.done;
    if (report.done == 40) stop.request_stop();
  };
  try {
    run(recognizer, clip("a.mp4", 100), {.window = 0.6}, {.progress = progress, .warn = {}, .stop = stop.get_token()});
    FAIL() << "was not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
  EXPECT_EQ(last, 40);
  EXPECT_GE(decisions_.size(), 2U) << "found before";
}

TEST_F(ATimeline, fails_with_a_line_where_there_is_nothing_to_see) {
  const recognize::Recognizer recognizer(model_, one_thread());
  write_file_atomically(dir_ / "empty.mp4", "");
  EXPECT_THROW(run(recognizer, dir_ / "empty.mp4", {}), Error);
  EXPECT_THROW(run(recognizer, dir_ / "missing.mp4", {}), Error);
  EXPECT_THROW(run(recognizer, clip("a.mp4", 20), {.enter = 0.3, .leave = 0.4}), Error);
}

const Event kEvent{3661.5, 3663.25, 1, "a <b> & \"c\", d", 0.87654, 0.99, 3662};

TEST(TimelineText, is_subtitles_whose_labels_are_no_markup) {
  const TimelineText text(TimelineFormat::kVtt, false, {"a"});
  EXPECT_EQ(text.head() + text.event("v.mp4", kEvent), "WEBVTT\n\n01:01:01.500 --> 01:01:03.250\na &lt;b&gt; &amp; \"c\", d (88 %)\n\n");
}

TEST(TimelineText, is_a_table_of_values_with_quotes_where_they_have_to_be) {
  const TimelineText text(TimelineFormat::kCsv, false, {"a"});
  EXPECT_EQ(text.head() + text.event("v,1.mp4", kEvent), "video,start,end,label,score,peak,peak_time\n"
                                                          "\"v,1.mp4\",3661.500,3663.250,\"a <b> & \"\"c\"\", d\",0.8765,0.9900,3662.000\n");
}

TEST(TimelineText, is_json_of_events_and_of_decisions) {
  const TimelineText text(TimelineFormat::kJson, true, {"clap", "wave"});
  const Json event = Json::parse(text.event("v.mp4", kEvent));
  EXPECT_EQ(event.at("start"), 3661.5);
  EXPECT_EQ(event.at("class"), 1);
  EXPECT_EQ(event.at("score"), 0.8765);
  const Tensor probabilities = Tensor::of({2}, std::vector<float>{0.25F, 0.75F});
  const Json decision = Json::parse(text.decision("v.mp4", {0, 2, {3, 9}, probabilities, probabilities}));
  EXPECT_EQ(decision.at("label"), "wave");
  EXPECT_EQ(decision.at("probabilities"), Json({0.25, 0.75}));
  EXPECT_EQ(decision.at("sampled_frames"), Json({3, 9}));
}

TEST(TimelineText, says_where_nothing_happened) {
  const TimelineText text(TimelineFormat::kTable, false, {"a"});
  EXPECT_THAT(text.end({.frames = 50, .decisions = 1, .events = 0, .seconds = 2}), HasSubstr("no action, 2.00 s, 50 frames, 1 decision\n"));
}

}  // namespace
}  // namespace actio::stream
