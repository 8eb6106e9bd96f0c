#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <ostream>
#include <set>
#include <sstream>
#include <utility>

#include "clip_tools.h"
#include "core/rng.h"
#include "support/shared_data.h"
#include "video/encoder.h"

namespace actio::video {
namespace {

using Indices = std::vector<std::int64_t>;

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

// All that a frame is; the pixels as a checksum.
struct Facts {
  std::int64_t index = 0, pts = 0;
  double time = 0;
  FrameType type = FrameType::kOther;
  bool key = false, damaged = false;
  std::uint64_t pixels = 0;
  std::vector<float> vectors;

  bool operator==(const Facts&) const = default;
};

void PrintTo(const Facts& facts, std::ostream* stream) {
  *stream << fmt::format("frame {} pts {} time {} type {} key {} damaged {} pixels {:x} vectors {}", facts.index, facts.pts,
                         facts.time, static_cast<int>(facts.type), facts.key, facts.damaged, facts.pixels,
                         facts.vectors.size() / 7);
}

Facts facts_of(const Frame& frame) {
  Facts facts{frame.index, frame.pts, frame.time_seconds, frame.type, frame.key, frame.damaged, 1469598103934665603ULL, {}};
  const Tensor rgb = frame.rgb();
  for (const std::uint8_t byte : rgb.values<std::uint8_t>()) facts.pixels = (facts.pixels ^ byte) * 1099511628211ULL;
  for (const BlockVector& block : frame.vectors) {
    for (const float value : {static_cast<float>(block.x), static_cast<float>(block.y), static_cast<float>(block.width),
                              static_cast<float>(block.height), block.dx, block.dy, static_cast<float>(block.direction)}) {
      facts.vectors.push_back(value);
    }
  }
  return facts;
}

std::vector<Facts> whole(const std::string& path, bool vectors) {
  std::vector<Facts> all;
  DecoderOptions options;
  options.vectors = vectors;
  Decoder decoder(path, options);
  while (const auto frame = decoder.next()) all.push_back(facts_of(*frame));
  return all;
}

struct Outcome {
  std::vector<Facts> frames;
  DecodeCounters counters;
};

Outcome sparse(const std::string& path, const Indices& wanted, bool vectors, bool carry = false, int threads = 1) {
  Outcome outcome;
  DecoderOptions options;
  options.vectors = vectors;
  options.threads = threads;
  Decoder decoder(path, options);
  decoder.select({wanted, carry});
  while (const auto frame = decoder.next()) outcome.frames.push_back(facts_of(*frame));
  outcome.counters = decoder.counters();
  return outcome;
}

// What select() promises, told from a whole decode.
std::vector<Facts> expected(const std::vector<Facts>& all, const Indices& wanted, bool carry) {
  std::set<std::int64_t> indices;
  for (const std::int64_t index : wanted) {
    if (index >= static_cast<std::int64_t>(all.size())) continue;
    indices.insert(index);
    std::int64_t before = index;
    while (before > 0 && all[static_cast<std::size_t>(before)].vectors.empty()) --before;
    if (carry && !all[static_cast<std::size_t>(before)].vectors.empty()) indices.insert(before);
  }
  std::vector<Facts> frames;
  for (const std::int64_t index : indices) frames.push_back(all[static_cast<std::size_t>(index)]);
  return frames;
}

void expect_same(const std::string& path, const std::vector<Facts>& all, const Indices& wanted, bool vectors, bool carry) {
  SCOPED_TRACE(fmt::format("wanted {}, vectors {}, carry {}", fmt::join(wanted, " "), vectors, carry));
  const Outcome outcome = sparse(path, wanted, vectors, carry);
  const auto frames = expected(all, wanted, carry);
  // With vectors lost in a picture of intra blocks only, more may come than was asked for, but never others.
  ASSERT_EQ(outcome.frames.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) ASSERT_EQ(outcome.frames[i], frames[i]);
}

Indices random_set(Rng& rng, std::int64_t frames) {
  Indices wanted(static_cast<std::size_t>(1 + rng.below(7)));
  for (auto& index : wanted) index = rng.below(frames + 3);
  if (rng.below(3) == 0) wanted.push_back(frames - 1);
  if (rng.below(3) == 0) wanted.push_back(0);
  std::ranges::sort(wanted);
  return wanted;
}

void expect_same_for_many_sets(const std::string& path, bool with_vectors, int rounds, std::uint64_t seed) {
  Rng rng(seed);
  for (const bool vectors : {false, true}) {
    if (vectors && !with_vectors) continue;
    const auto all = whole(path, vectors);
    const auto frames = static_cast<std::int64_t>(all.size());
    ASSERT_GT(frames, 0);
    for (int round = 0; round < rounds; ++round) {
      expect_same(path, all, random_set(rng, frames), vectors, vectors && round % 3 == 0);
      if (::testing::Test::HasFatalFailure()) return;
    }
    Indices every(all.size());
    std::iota(every.begin(), every.end(), 0);
    for (const Indices& wanted : {Indices{}, Indices{0}, Indices{frames - 1}, Indices{5, 5, 5, 9, 9}, Indices{frames}, every}) {
      expect_same(path, all, wanted, vectors, false);
    }
  }
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
        Case{"h264_raw", "libx264", "264", 2, 3, 12, {}, Proof::kNo},
        Case{"mpeg4_avi", "mpeg4", "avi"}, Case{"mpeg4_mp4", "mpeg4", "mp4"}, Case{"mpeg4_mkv", "mpeg4", "mkv"},
        Case{"mpeg4_avi_p_only", "mpeg4", "avi", 0}, Case{"mpeg4_avi_one_key", "mpeg4", "avi", 2, 1, 500},
        Case{"mpeg4_avi_closed", "mpeg4", "avi", 2, 1, 12, {"flags=+cgop", "sc_threshold=1000000000"}},
        Case{"mpeg4_quarter_pixel_4mv", "mpeg4", "avi", 2, 1, 12, {"flags=+qpel+mv4"}},
        Case{"mpeg4_interlaced", "mpeg4", "avi", 2, 1, 12, {"flags=+ildct+ilme"}, Proof::kNo},
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

SyntheticClip long_clip(const std::string& path, const std::string& codec, int gop) {
  SyntheticClip clip;
  clip.path = path;
  clip.codec = codec;
  clip.frames = 300;
  clip.width = 64;
  clip.height = 48;
  clip.dx = 1;
  clip.gop = gop;
  if (codec != "libx264") clip.quality = 4;
  write_synthetic_clip(clip);
  return clip;
}

Indices snippets(std::int64_t frames, std::int64_t each) {
  Indices wanted;
  for (std::int64_t k = 0; k < 7; ++k) {
    for (std::int64_t l = 0; l < each; ++l) wanted.push_back(frames * (2 * k + 1) / 14 + l);
  }
  return wanted;
}

TEST(SparseDecodeCosts, less_than_half_of_the_frames_for_snippets_of_a_clip_with_short_groups) {
  const TempDir dir;
  for (const auto& [name, codec] : {std::pair{"a.mp4", "libx264"}, {"b.avi", "mpeg4"}, {"c.mpg", "mpeg2video"}}) {
    const SyntheticClip clip = long_clip(dir / name, codec, 12);
    for (const bool vectors : {false, true}) {
      SCOPED_TRACE(fmt::format("{} {}", codec, vectors));
      const auto all = whole(clip.path, vectors);
      const Outcome one = sparse(clip.path, snippets(300, 1), vectors);
      EXPECT_EQ(one.frames, expected(all, snippets(300, 1), false));
      EXPECT_LE(one.counters.frames, 70);
      EXPECT_EQ(one.counters.seeks, 7);
      EXPECT_EQ(one.counters.scanned, 300);
      EXPECT_LE(one.counters.packets, 310);
      const Outcome six = sparse(clip.path, snippets(300, 6), vectors);
      EXPECT_EQ(six.frames, expected(all, snippets(300, 6), false));
      EXPECT_LE(six.counters.frames, 120);
    }
  }
}

TEST(SparseDecodeCosts, never_more_frames_than_there_are_where_only_the_first_is_a_key) {
  const TempDir dir;
  for (const auto& [name, codec] : {std::pair{"a.mp4", "libx264"}, {"b.avi", "mpeg4"}}) {
    const SyntheticClip clip = long_clip(dir / name, codec, 600);
    for (const Indices& wanted : {snippets(300, 1), snippets(300, 6), Indices{299}}) {
      const Outcome outcome = sparse(clip.path, wanted, true);
      EXPECT_EQ(outcome.frames.size(), wanted.size());
      EXPECT_LE(outcome.counters.frames, wanted.back() + 4);
      EXPECT_EQ(outcome.counters.seeks, 0);
    }
  }
}

TEST(SparseDecodeCosts, no_packet_where_nothing_is_wanted_and_no_scan_where_it_cannot_help) {
  const TempDir dir;
  const SyntheticClip clip = long_clip(dir / "a.ts", "libx264", 12);
  const Outcome none = sparse(clip.path, {}, false);
  EXPECT_EQ(none.counters.packets, 0);
  const Outcome ten = sparse(clip.path, {10}, false);
  EXPECT_EQ(ten.counters.scanned, 0);
  EXPECT_EQ(ten.counters.frames, 11);
}

TEST(SparseDecodeOf, goes_far_by_seeking_in_the_file) {
  const TempDir dir;
  for (const auto& [name, codec] : {std::pair{"a.mp4", "libx264"}, {"b.mkv", "libx264"}, {"c.avi", "mpeg4"}, {"d.mov", "mpeg4"}}) {
    SyntheticClip clip;
    clip.path = dir / name;
    clip.codec = codec;
    clip.frames = 120;
    clip.width = 320;
    clip.height = 240;
    clip.dx = 1;
    clip.gop = 5;
    clip.quality = clip.codec == "libx264" ? 8 : 2;
    write_synthetic_clip(clip);
    ASSERT_GT(std::filesystem::file_size(clip.path), 300000U);
    const auto all = whole(clip.path, true);
    const Indices wanted{3, 60, 110};
    const Outcome outcome = sparse(clip.path, wanted, true);
    EXPECT_EQ(outcome.frames, expected(all, wanted, false)) << name;
    EXPECT_EQ(outcome.counters.seeks, 2);
    EXPECT_LT(outcome.counters.packets, 60) << name;
  }
}

TEST(SparseDecodeOf, refuses_lists_in_disorder_and_lists_that_come_late) {
  const TempDir dir;
  const SyntheticClip clip = long_clip(dir / "a.mp4", "libx264", 12);
  Decoder decoder(clip.path);
  EXPECT_EQ(error_of([&] { decoder.select({{5, 4}, false}); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { decoder.select({{-1, 4}, false}); }).code(), ErrorCode::kUsage);
  decoder.select({{4}, false});
  EXPECT_EQ(decoder.next()->index, 4);
  EXPECT_EQ(error_of([&] { decoder.select({{7}, false}); }).code(), ErrorCode::kUsage);
  EXPECT_FALSE(decoder.next());
}

TEST(SparseDecodeOf, leaves_a_decoder_that_only_counted_as_it_was) {
  const TempDir dir;
  const SyntheticClip clip = long_clip(dir / "a.avi", "mpeg4", 12);
  Decoder decoder(clip.path);
  EXPECT_EQ(decoder.exact_frames(), 300);
  EXPECT_EQ(decoder.exact_frames(), 300);
  std::vector<Facts> frames;
  while (const auto frame = decoder.next()) frames.push_back(facts_of(*frame));
  EXPECT_EQ(frames, whole(clip.path, false));
}

TEST(SparseDecodeOf, works_with_several_threads) {
  const TempDir dir;
  for (const auto& [name, codec] : {std::pair{"a.mp4", "libx264"}, {"b.avi", "mpeg4"}, {"c.mp4", "libx265"}}) {
    const SyntheticClip clip = long_clip(dir / name, codec, 12);
    const auto all = whole(clip.path, false);
    Rng rng(9);
    for (int round = 0; round < 6; ++round) {
      const Indices wanted = random_set(rng, 300);
      EXPECT_EQ(sparse(clip.path, wanted, false, false, 3).frames, expected(all, wanted, false)) << codec;
    }
  }
}

TEST(SparseDecodeOf, keeps_variable_times) {
  const TempDir dir;
  for (const char* name : {"a.mp4", "b.mkv"}) {
    EncoderOptions options;
    options.width = 96;
    options.height = 64;
    options.frames_per_second = 1000;
    Encoder encoder(dir / name, options);
    Rng rng(4);
    std::int64_t tick = 0;
    SyntheticClip texture;
    texture.width = 96;
    texture.height = 64;
    for (int i = 0; i < 60; ++i, tick += 1 + rng.below(80)) encoder.write_at(testing::synthetic_frame(texture, i), tick);
    encoder.close();
    expect_same_for_many_sets(dir / name, true, 10, 6);
    EXPECT_EQ(Decoder(dir / name).exact_frames(), 60);
  }
}

// Whatever happened to a file, the wanted frames are those of a whole decode of the same file.
TEST(SparseDecodeOf, damaged_files_gives_the_frames_of_a_whole_decode) {
  const TempDir dir;
  const int rounds = std::getenv("ACTIO_FUZZ") ? std::atoi(std::getenv("ACTIO_FUZZ")) : 12;
  for (const auto& [ending, codec] : {std::pair{"mp4", "libx264"}, {"mkv", "libx264"}, {"avi", "mpeg4"}, {"mp4", "mpeg4"},
                                      {"mpg", "mpeg2video"}, {"mkv", "mpeg2video"}, {"mp4", "libx265"}}) {
    SyntheticClip clip;
    clip.path = dir / ("whole." + std::string(ending));
    clip.codec = codec;
    clip.frames = 40;
    clip.width = 80;
    clip.height = 64;
    clip.dx = 2;
    clip.b_frames = 2;
    if (!clip.codec.starts_with("libx26")) clip.quality = 3;
    write_synthetic_clip(clip);
    const std::string bytes = read_bytes(clip.path), path = dir / ("part." + std::string(ending));
    Rng rng(21);
    for (int round = 0; round < rounds; ++round) {
      std::string damaged = bytes;
      const std::int64_t size = static_cast<std::int64_t>(bytes.size()), at = rng.below(size);
      if (round % 4 == 0) {
        damaged.resize(static_cast<std::size_t>(at));
      } else if (round % 4 == 1) {
        std::fill_n(damaged.begin() + at, std::min<std::int64_t>(1 + rng.below(300), size - at), '\0');
      } else {
        for (std::int64_t hits = 1 + rng.below(6); hits > 0; --hits) {
          damaged[static_cast<std::size_t>(rng.below(size))] = static_cast<char>(rng.below(256));
        }
      }
      write_bytes(path, damaged);
      SCOPED_TRACE(fmt::format("{} in {}, round {}", codec, ending, round));
      try {
        const bool vectors = round % 2 == 0 && Decoder(path).info().carries_vectors;
        const auto all = whole(path, vectors);
        const auto frames = static_cast<std::int64_t>(all.size());
        Decoder decoder(path);
        EXPECT_EQ(decoder.exact_frames().value_or(frames), frames);
        for (int set = 0; set < 3; ++set) {
          const Indices wanted = random_set(rng, std::max<std::int64_t>(1, frames));
          EXPECT_EQ(sparse(path, wanted, vectors).frames, expected(all, wanted, false));
        }
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kBadData) << error.what();
      }
    }
  }
}

TEST(SparseDecodeOf, real_clips_gives_the_frames_of_a_whole_decode) {
  for (const char* name : {"ucf101_v_ApplyEyeMakeup_g01_c01.avi", "mmaction2_demo_arm_wrestling.mp4"}) {
    const std::string path = testing::shared_file("data/clips/" + std::string(name));
    ACTIO_NEEDS_SHARED(path);
    expect_same_for_many_sets(path, true, 4, 8);
    EXPECT_TRUE(Decoder(path).exact_frames());
  }
}

TEST(SparseDecodeOf, ut_interaction_counts_the_frames_exactly) {
  const std::filesystem::path list = testing::shared_file("data/ut_interaction/labels.csv");
  ACTIO_NEEDS_SHARED(list);
  std::istringstream lines(read_bytes(list.string()));
  std::string line;
  std::getline(lines, line);
  int clips = 0;
  while (std::getline(lines, line)) {
    const std::string path = list.parent_path() / line.substr(0, line.find(','));
    EXPECT_EQ(Decoder(path).exact_frames(), std::stoll(line.substr(line.rfind(',') + 1))) << path;
    if (++clips % 30 == 1) expect_same_for_many_sets(path, true, 2, 3);
  }
  EXPECT_EQ(clips, 120);
}

}  // namespace
}  // namespace actio::video
