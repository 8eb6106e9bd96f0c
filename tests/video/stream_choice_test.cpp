#include "video/stream_choice.h"

#include <gmock/gmock.h>

#include "clip_tools.h"
#include "remux.h"
#include "support/shared_data.h"
#include "video/examine.h"

namespace actio::video {
namespace {

class TracksOfAFile : public ::testing::Test {
 protected:
  std::string clip(const char* name, const char* codec, int frames, int width, int height) {
    SyntheticClip clip;
    clip.path = dir_ / name;
    clip.codec = codec;
    clip.frames = frames;
    clip.width = width;
    clip.height = height;
    clip.b_frames = 0;
    if (clip.codec != "libx264") clip.quality = 4;
    write_synthetic_clip(clip);
    return clip.path;
  }

  void expect_track(const std::string& path, int track, int tracks, const char* codec, std::size_t frames) {
    SCOPED_TRACE(path);
    const StreamInfo info = Decoder(path).info();
    EXPECT_EQ(info.track, track);
    EXPECT_EQ(info.tracks, tracks);
    EXPECT_EQ(info.codec, codec);
    EXPECT_EQ(decode_all(path).size(), frames);
  }

  TempDir dir_;
};

TEST_F(TracksOfAFile, that_hold_one_picture_lose_against_the_video_even_as_default) {
  const std::string video = clip("video.mp4", "libx264", 30, 96, 64);
  for (const char* codec : {"mjpeg", "png"}) {
    const std::string picture = clip(std::string(codec) == "png" ? "a.png" : "a.jpg", codec, 1, 320, 240);
    for (const char* ending : {"mkv", "mp4", "mov"}) {
      const std::string path = dir_ / fmt::format("{}.{}", codec, ending);
      remux(path, {{picture, AV_DISPOSITION_DEFAULT}, {video, 0}});
      expect_track(path, 2, 2, "h264", 30);
      remux(path, {{video, 0}, {picture, AV_DISPOSITION_DEFAULT}});
      expect_track(path, 1, 2, "h264", 30);
    }
  }
}

TEST_F(TracksOfAFile, that_are_coded_as_a_video_but_hold_one_frame_lose_too) {
  const std::string video = clip("video.mp4", "libx264", 30, 96, 64), still = clip("still.mp4", "libx264", 1, 320, 240);
  for (const char* ending : {"mkv", "mp4", "ts"}) {
    const std::string path = dir_ / ("a." + std::string(ending));
    remux(path, {{still, AV_DISPOSITION_DEFAULT}, {video, 0}});
    expect_track(path, 2, 2, "h264", 30);
  }
}

TEST_F(TracksOfAFile, that_hold_a_few_pictures_beside_a_long_video_lose) {
  const std::string video = clip("video.mp4", "libx264", 60, 96, 64), pictures = clip("a.avi", "mjpeg", 4, 320, 240);
  remux(dir_ / "a.mkv", {{pictures, AV_DISPOSITION_DEFAULT}, {video, 0}});
  expect_track(dir_ / "a.mkv", 2, 2, "h264", 60);
}

TEST_F(TracksOfAFile, of_which_several_are_videos_give_the_default_one_and_else_the_largest) {
  const std::string small = clip("small.mp4", "libx264", 20, 96, 64), large = clip("large.avi", "mjpeg", 25, 192, 128);
  for (const char* ending : {"mkv", "mp4"}) {
    const std::string path = dir_ / ("b." + std::string(ending));
    remux(path, {{large, 0}, {small, AV_DISPOSITION_DEFAULT}});
    expect_track(path, 2, 2, "h264", 20);
    remux(path, {{small, 0}, {large, AV_DISPOSITION_DEFAULT}});
    expect_track(path, 2, 2, "mjpeg", 25);
  }
  remux(dir_ / "c.mkv", {{small, AV_DISPOSITION_DEFAULT}, {large, AV_DISPOSITION_DEFAULT}});
  expect_track(dir_ / "c.mkv", 2, 2, "mjpeg", 25);
}

TEST_F(TracksOfAFile, that_are_all_there_is_are_read_even_with_one_picture) {
  const std::string picture = clip("a.jpg", "mjpeg", 1, 96, 64);
  remux(dir_ / "a.mkv", {{picture, AV_DISPOSITION_DEFAULT}});
  expect_track(dir_ / "a.mkv", 1, 1, "mjpeg", 1);
}

TEST_F(TracksOfAFile, are_counted_by_doctor) {
  const std::string video = clip("video.mp4", "libx264", 30, 96, 64), picture = clip("a.jpg", "mjpeg", 1, 320, 240);
  remux(dir_ / "a.mkv", {{picture, AV_DISPOSITION_DEFAULT}, {video, 0}});
  const Examination examination = examine(dir_ / "a.mkv");
  EXPECT_THAT(examination.findings, ::testing::Contains("the file has 2 video tracks; track 2 is read"));
  EXPECT_THAT(to_text(examination), ::testing::HasSubstr("2 of 2 video tracks"));
  EXPECT_EQ(to_json(examination).at("track"), 2);
  EXPECT_THAT(to_text(examine(video)), ::testing::Not(::testing::HasSubstr("track")));
}

TEST(FieldClipOfTwoTracks, gives_the_video_and_not_its_thumbnail) {
  const std::string path = testing::shared_file("data/field/09_thumbnail/thumb_default.mkv");
  ACTIO_NEEDS_SHARED(path);
  EXPECT_GT(decode_all(path).size(), 1U);
  EXPECT_NE(Decoder(path).info().codec, "mjpeg");
}

}  // namespace
}  // namespace actio::video
