#include "video/examine.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "clip_tools.h"
#include "video/encoder.h"

namespace actio::video {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SyntheticClip clip_at(const std::string& path) {
  SyntheticClip clip;
  clip.path = path;
  clip.dx = 3;
  clip.dy = 4;
  clip.frames = 40;
  clip.b_frames = 2;
  clip.codec_options = {"b_strategy=0"};
  return clip;
}

const MotionSource& source(const Examination& examination, const std::string& name) {
  return *std::ranges::find(examination.sources, name, &MotionSource::name);
}

TEST(Examine, finds_nothing_wrong_with_a_clean_clip) {
  const TempDir dir;
  const SyntheticClip clip = clip_at(dir / "a.mp4");
  write_synthetic_clip(clip);
  std::vector<std::int64_t> reports;
  const Examination result = examine(clip.path, [&](const ProgressReport& report) { reports.push_back(report.done); });
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_EQ(result.counters.frames, 40);
  EXPECT_EQ(result.key_frames, 4);
  EXPECT_EQ(result.key_frames + result.p_frames + result.b_frames, 40);
  EXPECT_GT(result.b_frames, 10);
  EXPECT_EQ(result.longest_gop, 12);
  EXPECT_TRUE(result.constant_rate);
  EXPECT_NEAR(result.shortest_interval_seconds, 0.04, 1e-9);
  EXPECT_NEAR(result.longest_interval_seconds, 0.04, 1e-9);
  EXPECT_EQ(result.p_coverage.frames, result.p_frames);
  EXPECT_GT(result.p_coverage.mean_share, 0.7);
  EXPECT_LE(result.p_coverage.mean_share, 1);
  EXPECT_NEAR(result.p_coverage.mean_magnitude, 5, 1);
  EXPECT_NEAR(result.b_coverage.mean_magnitude, 5, 1);
  for (const char* name : {"mv", "rgbdiff", "flow"}) EXPECT_TRUE(source(result, name).works) << name;
  EXPECT_THAT(reports, ::testing::ElementsAre(32));
}

TEST(Examine, says_which_motion_sources_work_for_hevc) {
  const TempDir dir;
  SyntheticClip clip = clip_at(dir / "a.mp4");
  clip.codec = "libx265";
  clip.codec_options.clear();
  write_synthetic_clip(clip);
  const Examination result = examine(clip.path);
  EXPECT_TRUE(source(result, "mv").works);
  EXPECT_THAT(source(result, "mv").remark, HasSubstr("HEVC carries no motion vectors that can be read: estimated from the pictures"));
  EXPECT_TRUE(source(result, "rgbdiff").works);
  EXPECT_TRUE(source(result, "flow").works);
}

TEST(Examine, says_that_vectors_do_not_work_where_every_frame_is_a_key_frame) {
  const TempDir dir;
  SyntheticClip clip = clip_at(dir / "a.mp4");
  clip.gop = 1;
  clip.b_frames = 0;
  write_synthetic_clip(clip);
  const Examination result = examine(clip.path);
  EXPECT_EQ(result.key_frames, 40);
  EXPECT_FALSE(source(result, "mv").works);
  EXPECT_TRUE(source(result, "flow").works);
}

TEST(Examine, says_that_an_image_has_no_motion) {
  const TempDir dir;
  SyntheticClip clip;
  clip.path = dir / "a.png";
  clip.codec = "png";
  clip.frames = 1;
  write_synthetic_clip(clip);
  const Examination result = examine(clip.path);
  EXPECT_EQ(result.counters.frames, 1);
  for (const char* name : {"mv", "rgbdiff", "flow"}) EXPECT_FALSE(source(result, name).works) << name;
}

TEST(Examine, notices_a_variable_frame_rate) {
  const TempDir dir;
  EncoderOptions options;
  options.width = 128;
  options.height = 96;
  options.frames_per_second = 1000;
  Encoder encoder(dir / "a.mp4", options);
  for (const int tick : {0, 33, 66, 100, 400, 433}) encoder.write_at(testing::synthetic_frame({}, 0), tick);
  encoder.close();
  const Examination result = examine(dir / "a.mp4");
  EXPECT_FALSE(result.constant_rate);
  EXPECT_NEAR(result.shortest_interval_seconds, 0.033, 1e-6);
  EXPECT_NEAR(result.longest_interval_seconds, 0.3, 1e-6);
  EXPECT_THAT(result.findings, Contains(HasSubstr("the frame rate varies: from 33.0 to 300.0 ms")));
}

TEST(Examine, reports_damage_and_missing_frames) {
  const TempDir dir;
  SyntheticClip clip = clip_at(dir / "a.avi");
  clip.codec = "mpeg4";
  clip.quality = 4;
  clip.codec_options.clear();
  write_synthetic_clip(clip);
  std::string bytes = read_bytes(clip.path);
  std::string damaged = bytes;
  std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), 600, '\0');
  write_bytes(clip.path, damaged);
  EXPECT_THAT(examine(clip.path).findings, Contains(HasSubstr("damaged")));
  write_bytes(clip.path, bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(examine(clip.path).findings, Contains(HasSubstr("the container claims 40 frames")));
}

TEST(Examine, prints_as_text_and_json) {
  const TempDir dir;
  const SyntheticClip clip = clip_at(dir / "a.mp4");
  write_synthetic_clip(clip);
  const Examination result = examine(clip.path);
  const std::string text = to_text(result);
  EXPECT_THAT(text, HasSubstr("frames          40: 4 key"));
  EXPECT_THAT(text, HasSubstr("picture         128 x 96\n"));
  EXPECT_LT(text.find("motion sources"), text.find("findings\n  none\n"));
  const Json json = to_json(result);
  EXPECT_EQ(json.at("frames"), 40);
  EXPECT_EQ(json.at("codec"), "h264");
  EXPECT_EQ(json.at("sources").size(), 3U);
  EXPECT_TRUE(json.at("findings").empty());
  EXPECT_EQ(json.at("p_coverage").at("frames"), result.p_frames);
  EXPECT_EQ(Json::parse(json.dump()), json);
}

}  // namespace
}  // namespace actio::video
