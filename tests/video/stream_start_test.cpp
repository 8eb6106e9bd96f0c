#include <gmock/gmock.h>

#include <ostream>

#include "sparse_tools.h"
#include "support/packet_clip.h"
#include "support/shared_data.h"
#include "video/examine.h"

namespace actio::video {
namespace {

using testing::PacketClip;

constexpr std::int64_t kGop = 12;

struct Case {
  const char* name;
  const char* codec;
  const char* ending;
  std::vector<std::string> options = {};
};

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

std::string name_of(const ::testing::TestParamInfo<Case>& row) { return row.param.name; }

// A clip whose packets are cut, and the frames that it has when nothing is cut.
struct Source {
  PacketClip clip;
  std::vector<Facts> plain, with_vectors;
};

Source source_of(const Case& value, const TempDir& dir) {
  SyntheticClip clip;
  const bool without_lengths = std::string(value.ending) == "avi" && value.codec == std::string("libx264");
  clip.path = dir / (without_lengths ? "source.avi" : "source.mp4");
  clip.codec = value.codec;
  clip.frames = 45;
  clip.width = 96;
  clip.height = 64;
  clip.dx = 1.5;
  clip.gop = kGop;
  clip.references = 3;
  clip.codec_options = value.options;
  if (clip.codec == "libx264") clip.codec_options.push_back("b_strategy=0");
  if (!clip.codec.starts_with("libx26")) {
    clip.quality = 3;
    clip.references = 1;
  }
  write_synthetic_clip(clip);
  Source source{testing::read_packets(clip.path), whole(clip.path, false), {}};
  if (Decoder(clip.path).info().carries_vectors) source.with_vectors = whole(clip.path, true);
  if (std::string(value.ending) != "mp4" && clip.codec == "mpeg4") testing::repeat_headers(source.clip);
  return source;
}

// The packet of the key picture that is shown as this frame.
std::size_t key_packet(const PacketClip& clip, std::int64_t frame) {
  for (std::size_t i = 0; i < clip.packets.size(); ++i) {
    if (clip.packets[i].pts == frame) {
      EXPECT_TRUE(clip.packets[i].key) << frame;
      return i;
    }
  }
  ADD_FAILURE() << "no frame " << frame;
  return 0;
}

// Whether a frame is the same whatever it is called and whenever it comes; its vectors, where `vectors`.
bool same_picture(Facts a, Facts b, bool vectors) {
  a.index = b.index = a.pts = b.pts = 0;
  a.time = b.time = 0;
  if (!vectors) a.vectors = b.vectors = {};
  return a == b;
}

void expect_tail(const std::vector<Facts>& frames, const std::vector<Facts>& source, std::size_t first, bool vectors) {
  ASSERT_EQ(frames.size(), source.size() - first);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i].index, static_cast<std::int64_t>(i));
    EXPECT_TRUE(same_picture(frames[i], source[first + i], vectors)) << "frame " << i << ", vectors " << vectors;
  }
}

// The frames of `path` are those of the source from `first` on; those that the codec exports wrongly apart, with their
// vectors. Returns: what a whole decode counted.
DecodeCounters expect_shown(const std::string& path, const Source& source, std::size_t first, bool same_vectors) {
  DecodeCounters counters;
  for (const bool vectors : {false, true}) {
    if (vectors && source.with_vectors.empty()) continue;
    const auto frames = whole(path, vectors);
    expect_tail(frames, vectors ? source.with_vectors : source.plain, first, vectors && same_vectors);
    DecoderOptions options;
    options.vectors = vectors;
    Decoder decoder(path, options);
    while (decoder.next()) {
    }
    EXPECT_EQ(decoder.counters().left_out, vectors ? counters.left_out : decoder.counters().left_out);
    counters = decoder.counters();
    EXPECT_EQ(counters.frames, static_cast<std::int64_t>(frames.size()));
    EXPECT_EQ(counters.damaged, 0);
    EXPECT_EQ(counters.errors, 0);
  }
  Indices all(static_cast<std::size_t>(counters.frames));
  std::iota(all.begin(), all.end(), 0);
  const Outcome threaded = sparse(path, all, false, false, 3);
  EXPECT_EQ(threaded.frames, whole(path, false));
  EXPECT_EQ(threaded.counters.left_out, counters.left_out);
  expect_same_for_many_sets(path, !source.with_vectors.empty(), 8, 3);
  return counters;
}

class TrimmedCopy : public ::testing::TestWithParam<Case> {};

TEST_P(TrimmedCopy, shows_the_frames_of_its_source_with_their_vectors) {
  const TempDir dir;
  const Source source = source_of(GetParam(), dir);
  for (const std::int64_t from : {13, 14, 15, 20, 30}) {
    SCOPED_TRACE(from);
    const std::string path = dir / ("cut." + std::string(GetParam().ending));
    write_packets(cut_packets(source.clip, key_packet(source.clip, from / kGop * kGop)), path, from);
    const DecodeCounters counters = expect_shown(path, source, static_cast<std::size_t>(from), true);
    EXPECT_EQ(counters.left_out, 0);
    EXPECT_EQ(Decoder(path).info().frames_claimed, 45 - from);
    EXPECT_THAT(examine(path).findings, ::testing::IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Clips, TrimmedCopy,
                         ::testing::Values(Case{"h264_mp4", "libx264", "mp4"}, Case{"h264_mov", "libx264", "mov"},
                                           Case{"mpeg4_mp4", "mpeg4", "mp4"}, Case{"mpeg2_mp4", "mpeg2video", "mp4"},
                                           Case{"hevc_mp4", "libx265", "mp4"}),
                         name_of);

// Matroska and transport streams hide nothing: what lies before the cut is shown.
TEST(TrimmedCopyOf, a_container_that_cannot_hide_frames_shows_them) {
  const TempDir dir;
  for (const Case& value : {Case{"h264", "libx264", "mkv"},
                            {"h264", "libx264", "ts"},
                            {"mpeg2", "mpeg2video", "ts"},
                            {"mpeg4", "mpeg4", "mkv"},
                            {"hevc", "libx265", "mkv"}}) {
    SCOPED_TRACE(fmt::format("{} {}", value.name, value.ending));
    const Source source = source_of(value, dir);
    const std::string path = dir / ("cut." + std::string(value.ending));
    write_packets(source.clip, path);
    const DecodeCounters counters = expect_shown(path, source, 0, true);
    EXPECT_EQ(counters.left_out, 0);
    EXPECT_THAT(examine(path).findings, ::testing::IsEmpty());
  }
}

TEST(TrimmedCopyOf, a_stream_that_begins_in_mid_group_counts_only_what_would_be_shown) {
  const TempDir dir;
  for (const char* codec : {"libx264", "mpeg4", "libx265"}) {
    SCOPED_TRACE(codec);
    const Source source = source_of({"", codec, "mp4"}, dir);
    const std::string path = dir / "cut.mp4";
    write_packets(cut_packets(source.clip, 1), path, 7);
    const DecodeCounters counters = expect_shown(path, source, kGop, true);
    EXPECT_EQ(counters.left_out, kGop - 7);
  }
}

std::int64_t shown_packets(const std::string& path) {
  return std::ranges::count(testing::read_packets(path).packets, true, &testing::CodedPacket::shown);
}

class MidGroupStart : public ::testing::TestWithParam<Case> {};

TEST_P(MidGroupStart, leaves_out_what_refers_to_frames_that_are_not_there) {
  const TempDir dir;
  const Source source = source_of(GetParam(), dir);
  for (const std::size_t first : {1U, 2U, 5U, 10U}) {
    SCOPED_TRACE(first);
    const std::string path = dir / ("cut." + std::string(GetParam().ending));
    const PacketClip cut = cut_packets(source.clip, first);
    write_packets(cut, path);
    const DecodeCounters counters = expect_shown(path, source, kGop, true);
    EXPECT_EQ(counters.left_out + counters.frames, shown_packets(path));
    const Examination result = examine(path);
    const auto says_so = ::testing::Contains(::testing::HasSubstr("left out"));
    EXPECT_THAT(result.findings, ::testing::Conditional(counters.left_out > 0, says_so, ::testing::Not(says_so)));
    EXPECT_EQ(to_json(result).at("left_out"), counters.left_out);
  }
}

INSTANTIATE_TEST_SUITE_P(Clips, MidGroupStart,
                         ::testing::Values(Case{"h264_ts", "libx264", "ts"}, Case{"h264_raw", "libx264", "264"},
                                           Case{"h264_mkv", "libx264", "mkv"}, Case{"h264_avi", "libx264", "avi"},
                                           Case{"h264_mp4", "libx264", "mp4"},
                                           Case{"h264_open_mkv", "libx264", "mkv", {"x264opts=open-gop=1"}},
                                           Case{"mpeg2_ts", "mpeg2video", "ts"}, Case{"mpeg2_raw", "mpeg2video", "m2v"},
                                           Case{"mpeg2_mpg", "mpeg2video", "mpg"}, Case{"mpeg2_avi", "mpeg2video", "avi"},
                                           Case{"mpeg1_mpg", "mpeg1video", "mpg"}, Case{"mpeg4_ts", "mpeg4", "ts"},
                                           Case{"mpeg4_raw", "mpeg4", "m4v"}, Case{"mpeg4_avi", "mpeg4", "avi"},
                                           Case{"mpeg4_mp4", "mpeg4", "mp4"}, Case{"hevc_ts", "libx265", "ts"},
                                           Case{"hevc_raw", "libx265", "hevc"}, Case{"hevc_mkv", "libx265", "mkv"}),
                         name_of);

class OpenGroupStart : public ::testing::TestWithParam<Case> {};

// The key picture is there, but some that are shown before it refer to the group before.
TEST_P(OpenGroupStart, leaves_out_what_is_shown_before_the_key_picture) {
  const TempDir dir;
  const Source source = source_of(GetParam(), dir);
  const PacketClip cut = cut_packets(source.clip, key_packet(source.clip, kGop));
  const std::string path = dir / ("cut." + std::string(GetParam().ending));
  write_packets(cut, path);
  const DecodeCounters counters = expect_shown(path, source, kGop, true);
  EXPECT_GT(counters.left_out, 0);
  EXPECT_EQ(counters.left_out + counters.frames, static_cast<std::int64_t>(cut.packets.size()));
}

INSTANTIATE_TEST_SUITE_P(Clips, OpenGroupStart,
                         ::testing::Values(Case{"h264_mkv", "libx264", "mkv", {"x264opts=open-gop=1"}},
                                           Case{"mpeg2_ts", "mpeg2video", "ts"}, Case{"mpeg2_mpg", "mpeg2video", "mpg"},
                                           Case{"mpeg4_ts", "mpeg4", "ts"}, Case{"mpeg4_avi", "mpeg4", "avi"},
                                           Case{"hevc_ts", "libx265", "ts"}, Case{"hevc_mkv", "libx265", "mkv"}),
                         name_of);

TEST(MidGroupStartOf, a_closed_group_keeps_what_is_shown_before_its_key_picture) {
  const TempDir dir;
  const Source source =
      source_of({"", "libx265", "mkv", {"x265-params=log-level=none:pools=none:open-gop=0:radl=2:bframes=2"}}, dir);
  const std::size_t key = key_packet(source.clip, source.clip.packets[13].key ? source.clip.packets[13].pts : kGop);
  const PacketClip cut = cut_packets(source.clip, key);
  write_packets(cut, dir / "cut.mkv");
  const DecodeCounters counters = expect_shown(dir / "cut.mkv", source, source.plain.size() - cut.packets.size(), true);
  EXPECT_EQ(counters.left_out, 0);
}

TEST(MidGroupStartOf, a_stream_without_any_key_picture_gives_no_frame) {
  const TempDir dir;
  for (const Case& value :
       {Case{"", "libx264", "ts"}, {"", "mpeg4", "avi"}, {"", "libx265", "mkv"}, {"", "mpeg2video", "mpg"}}) {
    SCOPED_TRACE(value.codec);
    const Source source = source_of(value, dir);
    PacketClip cut = cut_packets(source.clip, 1);
    cut.packets.resize(8);
    const std::string path = dir / ("cut." + std::string(value.ending));
    write_packets(cut, path);
    try {
      EXPECT_TRUE(whole(path, false).empty());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);  // no picture's size is known
    }
  }
}

TEST(TrimmedCopyOf, the_field_shows_the_frames_of_its_source) {
  const std::string folder = testing::shared_file("data/field/04_trimmed_mp4");
  ACTIO_NEEDS_SHARED(folder);
  const auto source = whole(folder + "/source_of_editlist.mp4", true);
  const auto frames = whole(folder + "/editlist.mp4", true);
  expect_tail(frames, source, 19, true);
  EXPECT_THAT(examine(folder + "/editlist.mp4").findings, ::testing::IsEmpty());
  EXPECT_THAT(examine(folder + "/negpts.mp4").findings, ::testing::IsEmpty());
}

TEST(MidGroupStartOf, the_field_is_left_out_as_ffmpeg_does) {
  const std::string path = testing::shared_file("data/field/15_ts_start/cutstart.ts");
  ACTIO_NEEDS_SHARED(path);
  const Examination result = examine(path);
  EXPECT_EQ(result.counters.frames, 44);
  EXPECT_EQ(result.counters.left_out, 7);
  EXPECT_EQ(result.counters.damaged + result.counters.errors, 0);
}

}  // namespace
}  // namespace actio::video
