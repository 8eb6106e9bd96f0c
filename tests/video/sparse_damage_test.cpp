#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "sparse_tools.h"

namespace actio::video {
namespace {

constexpr std::pair<const char*, const char*> kDamaged[] = {{"mp4", "libx264"}, {"mkv", "libx264"},    {"avi", "mpeg4"},
                                                            {"mp4", "mpeg4"},   {"mpg", "mpeg2video"}, {"mkv", "mpeg2video"},
                                                            {"mp4", "libx265"}};

std::string whole_clip(const TempDir& dir, const std::string& ending, const std::string& codec) {
  SyntheticClip clip;
  clip.path = dir / ("whole." + ending);
  clip.codec = codec;
  clip.frames = 40;
  clip.width = 80;
  clip.height = 64;
  clip.dx = 2;
  if (!clip.codec.starts_with("libx26")) clip.quality = 3;
  write_synthetic_clip(clip);
  return read_bytes(clip.path);
}

TEST(SparseDecodeOf, files_that_end_early_gives_the_frames_of_a_whole_decode) {
  const TempDir dir;
  for (const auto& [ending, codec] : kDamaged) {
    const std::string bytes = whole_clip(dir, ending, codec), path = dir / ("part." + std::string(ending));
    Rng rng(3);
    for (int round = 0; round < 8; ++round) {
      SCOPED_TRACE(fmt::format("{} in {}, round {}", codec, ending, round));
      write_bytes(path, bytes.substr(0, static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(bytes.size())))));
      try {
        const auto all = whole(path, false);
        const auto frames = static_cast<std::int64_t>(all.size());
        EXPECT_EQ(Decoder(path).exact_frames().value_or(frames), frames);
        const Indices wanted = random_set(rng, std::max<std::int64_t>(1, frames));
        EXPECT_EQ(sparse(path, wanted, false).frames, expected(all, wanted, false));
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kBadData) << error.what();
      }
    }
  }
}

// Damage inside a picture that is not decoded stays unseen, so that not all can be alike; but nearly all are, and what comes
// is in order and was asked for.
TEST(SparseDecodeOf, damaged_files_gives_what_was_asked_for_and_nearly_always_what_a_whole_decode_gives) {
  const TempDir dir;
  int sets = 0, others = 0;
  for (const auto& [ending, codec] : kDamaged) {
    const std::string bytes = whole_clip(dir, ending, codec), path = dir / ("part." + std::string(ending));
    const auto size = static_cast<std::int64_t>(bytes.size());
    Rng rng(21);
    for (int round = 0; round < 30; ++round) {
      SCOPED_TRACE(fmt::format("{} in {}, round {}", codec, ending, round));
      std::string damaged = bytes;
      if (const std::int64_t at = rng.below(size); round % 2 == 0) {
        std::fill_n(damaged.begin() + at, std::min<std::int64_t>(1 + rng.below(300), size - at), '\0');
      } else {
        for (std::int64_t hits = 1 + rng.below(6); hits > 0; --hits) {
          damaged[static_cast<std::size_t>(rng.below(size))] = static_cast<char>(rng.below(256));
        }
      }
      write_bytes(path, damaged);
      try {
        const bool vectors = round % 3 == 0 && Decoder(path).info().carries_vectors;
        const auto all = whole(path, vectors);
        const Indices wanted = random_set(rng, std::max<std::int64_t>(1, static_cast<std::int64_t>(all.size())));
        const Outcome outcome = sparse(path, wanted, vectors);
        ++sets;
        others += outcome.frames != expected(all, wanted, false);
        std::int64_t last = -1;
        for (const Facts& frame : outcome.frames) {
          EXPECT_TRUE(std::ranges::binary_search(wanted, frame.index));
          EXPECT_GT(frame.index, last);
          last = frame.index;
        }
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kBadData) << error.what();
      }
    }
  }
  EXPECT_GT(sets, 120);
  EXPECT_LE(others, sets / 20);
}

}  // namespace
}  // namespace actio::video
