// What the tests of sparse decoding share: all that a frame is, and the frames that a selection promises.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "clip_tools.h"
#include "core/rng.h"

namespace actio::video {

using Indices = std::vector<std::int64_t>;

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

inline void PrintTo(const Facts& facts, std::ostream* stream) {
  *stream << fmt::format("frame {} pts {} time {} type {} key {} damaged {} pixels {:x} vectors {}", facts.index, facts.pts,
                         facts.time, static_cast<int>(facts.type), facts.key, facts.damaged, facts.pixels,
                         facts.vectors.size() / 7);
}

inline Facts facts_of(const Frame& frame) {
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

inline std::vector<Facts> whole(const Source& path, bool vectors) {
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

inline Outcome sparse(const Source& path, const Indices& wanted, bool vectors, bool carry = false, int threads = 1) {
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
inline std::vector<Facts> expected(const std::vector<Facts>& all, const Indices& wanted, bool carry) {
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

inline void expect_same(const std::string& path, const std::vector<Facts>& all, const Indices& wanted, bool vectors,
                        bool carry) {
  SCOPED_TRACE(fmt::format("wanted {}, vectors {}, carry {}", fmt::join(wanted, " "), vectors, carry));
  const Outcome outcome = sparse(path, wanted, vectors, carry);
  const auto frames = expected(all, wanted, carry);
  ASSERT_EQ(outcome.frames.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) ASSERT_EQ(outcome.frames[i], frames[i]);
}

inline Indices random_set(Rng& rng, std::int64_t frames) {
  Indices wanted(static_cast<std::size_t>(1 + rng.below(7)));
  for (auto& index : wanted) index = rng.below(frames + 3);
  if (rng.below(3) == 0) wanted.push_back(frames - 1);
  if (rng.below(3) == 0) wanted.push_back(0);
  std::ranges::sort(wanted);
  return wanted;
}

inline void expect_same_for_many_sets(const std::string& path, bool with_vectors, int rounds, std::uint64_t seed) {
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
    for (const Indices& wanted :
         {Indices{}, Indices{0}, Indices{frames - 1}, Indices{5, 5, 5, 9, 9}, Indices{frames}, every}) {
      expect_same(path, all, wanted, vectors, false);
    }
  }
}

}  // namespace actio::video
