// Snippets of a stream are those of a clip.
#include "stream/snippet_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/clip_reader.h"
#include "stream/streams.h"
#include "support/inputs.h"
#include "support/temp_dir.h"

namespace actio::stream {
namespace {

using ::testing::ElementsAre;
using testing::SyntheticClip;

struct Kind {
  const char* motion;
  std::int64_t length = 3;
  MotionWindow window = MotionWindow::kStarting;
  VectorSource vectors = VectorSource::kCodec;
  bool rgb = true;
};

Inputs inputs_of(const Kind& kind) {
  Preprocess preprocess;
  preprocess.input_size = 32;
  preprocess.short_side = 36;
  preprocess.motion = value_named<Motion>("motion", kind.motion);
  preprocess.motion_length = kind.length;
  preprocess.motion_window = kind.window;
  preprocess.vectors = kind.vectors;
  preprocess.flow_quality = "realtime";
  preprocess.flow_short_side = 32;
  return testing::inputs_for(preprocess, kind.rgb);
}

std::vector<std::int64_t> frames_of(const std::vector<Snippet>& snippets) {
  std::vector<std::int64_t> frames;
  for (const Snippet& snippet : snippets) frames.push_back(snippet.frame);
  return frames;
}

class ASnippetFeed : public ::testing::Test {
 protected:
  testing::TempDir dir_;
};

// Over the whole of a clip.
void expect_equal(const std::string& path, double seconds, const Kind& kind, std::int64_t segments) {
  SCOPED_TRACE(fmt::format("{}: {} x {} {}, {} segments", path, kind.motion, kind.length, name_of(kind.window), segments));
  const Inputs inputs = inputs_of(kind);
  data::ClipRequest request = data::request_for(inputs, segments);
  request.path = path;
  const data::ClipInput clip = data::read_clip(request);
  const std::vector<Snippet> snippets = testing::snippets_of(path, inputs, seconds / static_cast<double>(segments));
  ASSERT_EQ(std::ssize(snippets), segments);
  EXPECT_EQ(frames_of(snippets), clip.sampled);
  EXPECT_TRUE(testing::same_bytes(testing::joined(snippets), clip.inputs));
  EXPECT_NEAR(snippets.back().end, seconds, 1e-6);
}

const std::vector<Kind> kKinds = {{"none"},
                                  {"rgbdiff"},
                                  {"mv"},
                                  {"mv", 4, MotionWindow::kCentred},
                                  {"mv", 3, MotionWindow::kStarting, VectorSource::kEstimated},
                                  {"flow", 2},
                                  {"flow", 3, MotionWindow::kCentred},
                                  {"rgbdiff", 4, MotionWindow::kCentred},
                                  {"mv", 3, MotionWindow::kStarting, VectorSource::kCodec, false},
                                  {"flow", 2, MotionWindow::kStarting, VectorSource::kCodec, false}};

TEST_F(ASnippetFeed, gives_the_snippets_that_recognition_reads_of_a_clip_with_b_frames) {
  const SyntheticClip clip{.path = dir_ / "b.mp4", .frames = 60, .dx = 1.5, .dy = -1, .b_frames = 2};
  testing::write_synthetic_clip(clip);
  for (const Kind& kind : kKinds) expect_equal(clip.path, 2.4, kind, 8);
}

TEST_F(ASnippetFeed, gives_the_snippets_that_recognition_reads_of_xvid_with_b_frames) {
  const SyntheticClip clip{.path = dir_ / "x.mp4", .codec = "mpeg4", .frames = 60, .dx = 1.5, .dy = -1, .b_frames = 2, .quality = 3};
  testing::write_synthetic_clip(clip);
  for (const Kind& kind : kKinds) expect_equal(clip.path, 2.4, kind, 8);
}

TEST_F(ASnippetFeed, gives_the_snippets_that_recognition_reads_of_a_variable_rate) {
  const SyntheticClip clip{.path = dir_ / "v.mp4", .frames = 60, .dx = 1.5, .dy = -1};
  testing::write_ticking_clip(clip, testing::quick_then_slow);
  for (const Kind& kind : kKinds) expect_equal(clip.path, 7.2, kind, 8);
  EXPECT_THAT(frames_of(testing::snippets_of(clip.path, inputs_of({"none"}), 0.9)), ElementsAre(11, 30, 35, 39, 44, 48, 53, 57));
}

TEST_F(ASnippetFeed, gives_the_snippets_that_recognition_reads_where_windows_overlap) {
  const SyntheticClip clip{.path = dir_ / "o.mp4", .frames = 24, .dx = 1.5, .dy = -1};
  testing::write_synthetic_clip(clip);
  for (Kind kind : kKinds) {
    kind.length = 5;
    expect_equal(clip.path, 0.96, kind, 12);
    expect_equal(clip.path, 0.96, kind, 24);
  }
}

TEST_F(ASnippetFeed, has_a_snippet_ready_as_soon_as_its_window_was_shown) {
  const SyntheticClip clip{.path = dir_ / "c.mp4", .frames = 30, .dx = 1};
  testing::write_synthetic_clip(clip);
  video::Decoder decoder(clip.path, {.vectors = true});
  SnippetFeed feed(inputs_of({"mv"}), 0.4);
  std::vector<std::pair<std::int64_t, std::int64_t>> ready;  // at which frame, of which one
  while (const auto frame = decoder.next()) {
    feed.push(*frame);
    while (const auto snippet = feed.next()) ready.emplace_back(frame->index, snippet->frame);
  }
  // The middles, 0.2 s and 0.6 s, are those of frames 5 and 15; three fields follow each.
  EXPECT_THAT(ready, ElementsAre(std::pair(8, 5), std::pair(18, 15), std::pair(28, 25)));
  feed.finish();
  EXPECT_FALSE(feed.next());
  EXPECT_NEAR(feed.seconds(), 1.2, 1e-9);
}

TEST_F(ASnippetFeed, goes_on_at_the_rate_before_where_time_stamps_make_no_sense) {
  const SyntheticClip clip{.path = dir_ / "c.mp4", .frames = 40};
  testing::write_synthetic_clip(clip);
  const std::vector<std::int64_t> expected = frames_of(testing::snippets_of(clip.path, inputs_of({"none"}), 0.4));
  const auto with_times = [&](const std::function<double(const video::Frame&)>& time) {
    video::Decoder decoder(clip.path);
    SnippetFeed feed(inputs_of({"none"}), 0.4);
    std::vector<std::int64_t> frames;
    while (auto frame = decoder.next()) {
      frame->time_seconds = time(*frame);
      feed.push(*frame);
      while (const auto snippet = feed.next()) frames.push_back(snippet->frame);
    }
    return std::pair(frames, feed.odd_times());
  };
  EXPECT_EQ(with_times([](const video::Frame&) { return 7.0; }), std::pair(expected, std::int64_t{39}));
  EXPECT_EQ(with_times([](const video::Frame& f) { return f.index < 20 ? f.time_seconds : f.time_seconds - 5; }), std::pair(expected, std::int64_t{1}));
  EXPECT_EQ(with_times([](const video::Frame& f) { return f.index < 20 ? f.time_seconds : f.time_seconds + 3600; }), std::pair(expected, std::int64_t{1}));
}

TEST_F(ASnippetFeed, refuses_parts_without_a_length) {
  EXPECT_THROW(SnippetFeed(inputs_of({"none"}), 0), Error);
  EXPECT_THROW(SnippetFeed(inputs_of({"none"}), -1), Error);
}

TEST(InputsOfAStream, are_the_codecs_vectors_where_it_has_some_and_else_estimated_ones) {
  video::StreamInfo info;
  const Inputs any = inputs_of({"mv", 3, MotionWindow::kStarting, VectorSource::kAny});
  EXPECT_EQ(decided_inputs(any, info).find(InputKind::kVectors)->vectors, VectorSource::kEstimated);
  info.carries_vectors = true;
  EXPECT_EQ(decided_inputs(any, info).find(InputKind::kVectors)->vectors, VectorSource::kCodec);
}

}  // namespace
}  // namespace actio::stream
