#include "video/frame_plan.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sparse_tools.h"
#include "support/packet_clip.h"
#include "video/packet_scan.h"

namespace actio::video {
namespace {

using Action = FramePlan::Action;
using Kind = VectorReader::Kind;

constexpr std::int32_t kMany = 200'000;

// A key frame and `packets` others, shown in the order of the file.
struct Rows {
  std::vector<IndexedPacket> packets;
  std::vector<RestartPoint> restarts = {{0, 0}};

  void add(FrameType type, bool refills = false) {
    IndexedPacket packet;
    packet.display = static_cast<std::int32_t>(packets.size());
    packet.type = type;
    packet.reference = type != FrameType::kB;
    packet.refills = refills;
    packets.push_back(packet);
  }
  FrameIndex index() const {
    std::vector<IndexedFrame> frames;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(packets.size()); ++i) frames.push_back({i, i, i});
    return {packets, frames, restarts};
  }
};

// What each packet that waits needs, told by walking: from the definition, not from the plan's tables.
Action walked(const FrameIndex& index, const FramePlan& plan, const FramePlan::Run& run, std::int32_t number) {
  const auto& packets = index.packets();
  const auto at = [&](std::int32_t i) { return packets[static_cast<std::size_t>(i)]; };
  const auto wanted = [&](std::int32_t i) {
    return at(i).display >= run.display && std::ranges::binary_search(plan.wanted(), at(i).display);
  };
  const auto needed = [&](std::int32_t i) {
    if (wanted(i)) return true;
    while (at(i).refills && i + 1 < static_cast<std::int32_t>(packets.size())) {
      if (wanted(++i)) return true;
    }
    return false;
  };
  if (at(number).reference) return at(number).display >= run.display ? Action::kDecode : Action::kDrop;
  if (needed(number)) return Action::kDecode;
  if (at(number).droppable) return Action::kDrop;
  const bool follows = number > run.first && at(number - 1).refills;
  const bool after_decoded = follows && (at(number - 1).reference || needed(number - 1));
  return follows && !after_decoded ? Action::kDrop : Action::kSkipPicture;
}

TEST(FramePlan, of_b_frames_that_wait_for_one_another_does_what_the_definition_says) {
  Rng rng(5);
  for (int round = 0; round < 400; ++round) {
    Rows rows;
    rows.add(FrameType::kI);
    rows.add(FrameType::kP);
    for (std::int64_t i = 3 + rng.below(30); i > 0; --i) {
      if (rng.below(9) == 0) rows.add(FrameType::kP);
      rows.add(FrameType::kB, rng.below(3) > 0);
    }
    const FrameIndex index = rows.index();
    const Indices wanted = random_set(rng, index.frames() - 3);
    const FramePlan plan(index, wanted, std::nullopt, false);
    for (const FramePlan::Run& run : plan.runs()) {
      for (std::int32_t i = run.first; i <= run.last; ++i) {
        ASSERT_EQ(plan.action(run, i), walked(index, plan, run, i)) << "round " << round << ", packet " << i;
      }
    }
  }
}

// With a walk for each packet these would take hours.
TEST(FramePlan, of_very_many_b_frames_that_wait_for_one_another_takes_a_step_for_each) {
  Rows rows;
  rows.add(FrameType::kI);
  rows.add(FrameType::kP);
  for (std::int32_t i = 2; i < kMany; ++i) rows.add(FrameType::kB, true);  // the last one waits for ever
  const FrameIndex index = rows.index();
  for (const Indices& wanted : {Indices{1, kMany - 1}, Indices{0, kMany / 2}, Indices{5}}) {
    const FramePlan plan(index, wanted, std::nullopt, false);
    EXPECT_LE(plan.steps(), 2 * kMany);
    ASSERT_EQ(plan.runs().size(), 1U);
    std::int64_t decoded = 0;
    for (std::int32_t i = 0; i < kMany; ++i) decoded += plan.action(plan.runs()[0], i) == Action::kDecode;
    EXPECT_EQ(decoded, std::max<std::int64_t>(2, wanted.back() + 1));
  }
}

TEST(FramePlan, with_vectors_carried_over_takes_some_steps_for_each_frame) {
  Indices every_tenth;
  for (std::int64_t i = 5; i < kMany; i += 10) every_tenth.push_back(i);
  for (const FrameType type : {FrameType::kI, FrameType::kB}) {
    Rows rows;
    rows.add(FrameType::kI);
    for (std::int32_t i = 1; i < kMany; ++i) rows.add(type);
    const FrameIndex index = rows.index();
    for (const Kind kind : {Kind::kWithoutB, Kind::kOneReference, Kind::kSeveral}) {
      const FramePlan plan(index, every_tenth, kind, true);
      EXPECT_LE(plan.steps(), 8LL * kMany);
      EXPECT_EQ(plan.wanted(), every_tenth);  // none has vectors before it, or all have their own
    }
  }
}

TEST(FramePlan, carries_the_nearest_frame_with_vectors) {
  Rows rows;
  for (const char type : std::string("IPBBPIIPBI")) {
    rows.add(type == 'I' ? FrameType::kI : type == 'P' ? FrameType::kP : FrameType::kB);
  }
  const FrameIndex index = rows.index();
  EXPECT_EQ(FramePlan(index, {0, 5, 6}, Kind::kOneReference, true).wanted(), (Indices{0, 4, 5, 6}));
  EXPECT_EQ(FramePlan(index, {9}, Kind::kOneReference, true).wanted(), (Indices{8, 9}));
  // The B-frame before would take the vectors of the key frame after it, which has none.
  EXPECT_EQ(FramePlan(index, {9}, Kind::kWithoutB, true).wanted(), (Indices{7, 9}));
  EXPECT_EQ(FramePlan(index, {0, 5, 6}, Kind::kOneReference, false).wanted(), (Indices{0, 5, 6}));
}

TEST(SparseDecodeOf, b_frames_that_wait_for_one_another_gives_the_frames_of_a_whole_decode) {
  const TempDir dir;
  for (const int waiting : {0, 1, 2, 15, 16, 17, 40}) {
    SCOPED_TRACE(waiting);
    const std::string path = dir / "packed.avi";
    testing::write_waiting_b_frames(path, waiting);
    expect_same_for_many_sets(path, true, 12, 7);
    EXPECT_EQ(whole(path, false).size(), static_cast<std::size_t>(waiting) + 5);
    EXPECT_EQ(Decoder(path).exact_frames().has_value(), waiting <= 16);
  }
}

TEST(SparseDecodeOf, very_many_b_frames_that_wait_for_one_another_ends) {
  const TempDir dir;
  const std::string path = dir / "packed.avi";
  testing::write_waiting_b_frames(path, 20'000);
  EXPECT_GT(std::filesystem::file_size(path), 500'000U);
  const Outcome outcome = sparse(path, {20'004}, true, true);
  ASSERT_FALSE(outcome.frames.empty());
  EXPECT_EQ(outcome.frames.back().index, 20'004);
  EXPECT_LT(outcome.counters.scanned, 100);
  EXPECT_EQ(outcome.counters.damaged + outcome.counters.errors, 0);
}

}  // namespace
}  // namespace actio::video
