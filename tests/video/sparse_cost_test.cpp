#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <utility>

#include "sparse_tools.h"
#include "support/shared_data.h"
#include "video/encoder.h"

namespace actio::video {
namespace {

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

TEST(SparseDecodeCosts, no_scan_where_the_container_shows_that_nothing_can_be_left_out) {
  const TempDir dir;
  for (const auto& [name, codec] : {std::pair{"a.mp4", "libx264"}, {"b.avi", "mpeg4"}}) {
    for (const int b_frames : {0, 2}) {
      SyntheticClip clip = long_clip(dir / name, codec, 600);
      clip.b_frames = b_frames;
      write_synthetic_clip(clip);
      const Outcome outcome = sparse(clip.path, snippets(300, 1), true);
      EXPECT_EQ(outcome.counters.scanned, b_frames == 0 ? 0 : 300) << codec;
      EXPECT_EQ(outcome.frames, expected(whole(clip.path, true), snippets(300, 1), false)) << codec;
      EXPECT_LE(outcome.counters.frames, snippets(300, 1).back() + 1) << codec;
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
  for (const auto& [name, codec] :
       {std::pair{"a.mp4", "libx264"}, {"b.mkv", "libx264"}, {"c.avi", "mpeg4"}, {"d.mov", "mpeg4"}}) {
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
    const auto times = Decoder(dir / name).exact_times();
    ASSERT_TRUE(times);
    Decoder all(dir / name);
    for (const double time : *times) EXPECT_EQ(all.next()->time_seconds, time);
    EXPECT_FALSE(all.next());
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
