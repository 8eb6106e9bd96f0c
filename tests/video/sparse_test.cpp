#include <gtest/gtest.h>

#include <ostream>

#include "sparse_tools.h"

namespace actio::video {
namespace {

enum class Proof { kYes, kNo, kEither };  // that the scan tells where frames are

struct Case {
  const char* name;
  const char* codec;
  const char* ending;
  int b_frames = 2;
  int references = 1;
  int gop = 12;
  std::vector<std::string> options = {};
  Proof proof = Proof::kYes;
};

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

SyntheticClip clip_of(const Case& value, const TempDir& dir) {
  SyntheticClip clip;
  clip.path = dir / ("a." + std::string(value.ending));
  clip.codec = value.codec;
  clip.frames = 61;
  clip.width = 96;
  clip.height = 64;
  clip.dx = 1.5;
  clip.dy = -0.75;
  clip.gop = value.gop;
  clip.b_frames = value.b_frames;
  clip.references = value.references;
  clip.codec_options = value.options;
  if (!clip.codec.starts_with("libx26")) clip.quality = clip.codec.find("mpeg") != std::string::npos ? 3 : 8;
  return clip;
}

class SparseDecode : public ::testing::TestWithParam<Case> {};

TEST_P(SparseDecode, gives_the_frames_of_a_whole_decode) {
  const TempDir dir;
  const SyntheticClip clip = clip_of(GetParam(), dir);
  write_synthetic_clip(clip);
  expect_same_for_many_sets(clip.path, Decoder(clip.path).info().carries_vectors, 14, 5);
  Decoder decoder(clip.path);
  const auto frames = decoder.exact_frames();
  if (GetParam().proof != Proof::kEither) {
    EXPECT_EQ(frames.has_value(), GetParam().proof == Proof::kYes);
  }
  if (frames) {
    EXPECT_EQ(*frames, static_cast<std::int64_t>(whole(clip.path, false).size()));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Clips, SparseDecode,
    ::testing::Values(
        Case{"h264_mp4", "libx264", "mp4", 3, 4}, Case{"h264_mkv", "libx264", "mkv", 3, 4},
        Case{"h264_mov_p_only", "libx264", "mov", 0, 4},
        Case{"h264_flat_b", "libx264", "mp4", 3, 2, 12, {"b-pyramid=none", "b_strategy=0"}},
        Case{"h264_strict_pyramid", "libx264", "mkv", 3, 1, 12, {"b-pyramid=strict", "b_strategy=0"}},
        Case{"h264_b16", "libx264", "mp4", 16, 3, 50, {"b_strategy=0"}},
        Case{"h264_cavlc_temporal_direct", "libx264", "mp4", 3, 2, 12, {"coder=vlc", "direct-pred=temporal"}},
        Case{"h264_open_gop", "libx264", "mp4", 3, 3, 12, {"x264opts=open-gop=1"}},
        Case{"h264_intra_refresh", "libx264", "mp4", 0, 3, 12, {"intra-refresh=1"}},
        Case{"h264_interlaced", "libx264", "mp4", 2, 3, 12, {"x264opts=interlaced=1"}, Proof::kEither},
        Case{"h264_one_key", "libx264", "mp4", 2, 3, 500}, Case{"h264_all_keys", "libx264", "mp4", 0, 1, 1},
        Case{"h264_slices", "libx264", "mp4", 2, 2, 12, {"slices=3"}},
        Case{"h264_avi", "libx264", "avi", 2, 3, 12, {}, Proof::kNo},
        Case{"h264_ts", "libx264", "ts", 2, 3, 12, {}, Proof::kNo},
        Case{"h264_raw", "libx264", "264", 2, 3, 12, {}, Proof::kNo}, Case{"mpeg4_avi", "mpeg4", "avi"},
        Case{"mpeg4_mp4", "mpeg4", "mp4"}, Case{"mpeg4_mkv", "mpeg4", "mkv"}, Case{"mpeg4_avi_p_only", "mpeg4", "avi", 0},
        Case{"mpeg4_avi_one_key", "mpeg4", "avi", 2, 1, 500},
        Case{"mpeg4_avi_closed", "mpeg4", "avi", 2, 1, 12, {"flags=+cgop", "sc_threshold=1000000000"}},
        Case{"mpeg4_quarter_pixel_4mv", "mpeg4", "avi", 2, 1, 12, {"flags=+qpel+mv4"}},
        Case{"mpeg4_interlaced", "mpeg4", "avi", 2, 1, 12, {"flags=+ildct+ilme"}, Proof::kNo},
        Case{"mpeg2_interlaced", "mpeg2video", "mpg", 2, 1, 12, {"flags=+ildct+ilme"}, Proof::kEither},
        Case{"mpeg4_all_keys", "mpeg4", "avi", 0, 1, 1}, Case{"mpeg4_raw", "mpeg4", "m4v", 2, 1, 12, {}, Proof::kEither},
        Case{"mpeg4_ts", "mpeg4", "ts", 2, 1, 12, {}, Proof::kNo}, Case{"mpeg2_mpg", "mpeg2video", "mpg"},
        Case{"mpeg2_mpg_closed", "mpeg2video", "mpg", 2, 1, 12, {"flags=+cgop", "sc_threshold=1000000000"}},
        Case{"mpeg2_mpg_p_only", "mpeg2video", "mpg", 0}, Case{"mpeg2_mkv", "mpeg2video", "mkv"},
        Case{"mpeg2_mp4", "mpeg2video", "mp4"}, Case{"mpeg2_avi", "mpeg2video", "avi"},
        Case{"mpeg2_raw", "mpeg2video", "m2v", 2, 1, 12, {}, Proof::kEither},
        Case{"mpeg2_ts", "mpeg2video", "ts", 2, 1, 12, {}, Proof::kNo}, Case{"mpeg1_mpg", "mpeg1video", "mpg"},
        Case{"mpeg1_mkv", "mpeg1video", "mkv"}, Case{"hevc_mp4", "libx265", "mp4", 3, 3},
        Case{"hevc_mkv_closed", "libx265", "mkv", 3, 3, 12, {"x265-params=log-level=none:open-gop=0:pools=none"}},
        Case{"flv", "flv", "flv", 0, 1, 12, {}, Proof::kNo}, Case{"h263", "h263p", "avi", 0, 1, 12, {}, Proof::kNo},
        Case{"mjpeg", "mjpeg", "avi", 0, 1, 1, {}, Proof::kNo}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace actio::video
