#include <gmock/gmock.h>

#include "data/clip_reader.h"
#include "data/flow_cache.h"
#include "support/inputs.h"
#include "support/packet_clip.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempDir;

constexpr int kFrames = 60, kGop = 24;

// 60 frames with a key picture at 0, 24 and 48, in decoding order.
testing::PacketClip packets_of(const TempDir& dir) {
  testing::SyntheticClip clip;
  clip.path = dir / "source.mp4";
  clip.frames = kFrames;
  clip.width = 96;
  clip.height = 64;
  clip.dx = 1;
  clip.gop = kGop;
  write_synthetic_clip(clip);
  return testing::read_packets(clip.path);
}

ClipInput read(const std::string& path, const std::string& motion) {
  ClipRequest request;
  request.path = path;
  request.segments = 4;
  Preprocess preprocess;
  preprocess.input_size = 32;
  preprocess.short_side = 36;
  preprocess.motion = value_named<Motion>("motion", motion);
  preprocess.motion_length = 2;
  preprocess.flow_quality = "fast";
  preprocess.flow_short_side = 48;
  request.inputs = actio::testing::inputs_for(preprocess);
  return read_clip(request);
}

TEST(ReadClip, of_a_trimmed_copy_has_nothing_to_warn_of) {
  const TempDir dir;
  const std::string path = dir / "cut.mp4";
  write_packets(packets_of(dir), path, 18);
  for (const char* motion : {"none", "mv", "flow"}) {
    SCOPED_TRACE(motion);
    const ClipInput clip = read(path, motion);
    EXPECT_EQ(clip.frames, kFrames - 18);
    EXPECT_EQ(clip.damaged, 0);
    EXPECT_THAT(clip.warnings, IsEmpty());
  }
}

TEST(ReadClip, of_a_stream_that_begins_in_mid_group_says_how_many_frames_are_left_out) {
  const TempDir dir;
  for (const char* name : {"cut.ts", "cut.264", "cut.mkv"}) {
    const std::string path = dir / name;
    write_packets(cut_packets(packets_of(dir), 4), path);
    for (const char* motion : {"none", "mv", "flow"}) {
      SCOPED_TRACE(fmt::format("{} {}", name, motion));
      const ClipInput clip = read(path, motion);
      EXPECT_EQ(clip.frames, kFrames - kGop);
      EXPECT_EQ(clip.damaged, 0);
      EXPECT_THAT(clip.warnings, ElementsAre(HasSubstr("begins without a key frame; 20 frames are left out")));
    }
  }
}

}  // namespace
}  // namespace actio::data
