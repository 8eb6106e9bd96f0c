#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "clip_tools.h"
#include "support/shared_data.h"

namespace actio::video {
namespace {

// Xvid AVI with packed B-frames: two pictures in one packet and placeholders that hold none.
TEST(RealClips, with_packed_b_frames_give_every_frame_once) {
  const std::string path = testing::shared_file("data/clips/ucf101_v_ApplyEyeMakeup_g01_c01.avi");
  ACTIO_NEEDS_SHARED(path);
  for (const bool vectors : {false, true}) {
    const auto frames = decode_all(path, vectors);
    ASSERT_EQ(frames.size(), 164U);
    for (std::size_t i = 1; i < frames.size(); ++i) {
      EXPECT_EQ(frames[i].pts, frames[i - 1].pts + 1);
      EXPECT_FALSE(frames[i].damaged);
    }
  }
}

TEST(RealClips, of_ut_interaction_have_as_many_frames_as_their_list_says) {
  const std::filesystem::path list = testing::shared_file("data/ut_interaction/labels.csv");
  ACTIO_NEEDS_SHARED(list);
  std::istringstream lines(read_bytes(list.string()));
  std::string line;
  std::getline(lines, line);
  int clips = 0;
  while (std::getline(lines, line)) {
    if (++clips % 4 != 1) continue;
    const std::string path = list.parent_path() / line.substr(0, line.find(','));
    DecoderOptions options;
    options.vectors = true;
    Decoder decoder(path, options);
    std::int64_t frames = 0;
    while (const auto frame = decoder.next()) ++frames;
    EXPECT_EQ(frames, std::stoll(line.substr(line.rfind(',') + 1))) << path;
    EXPECT_EQ(decoder.counters().damaged, 0) << path;
  }
  EXPECT_EQ(clips, 120);
}

// Real motion: the previous frame, displaced by the vectors, is nearer to this one than displaced by none, half or double.
TEST(RealClips, of_h264_are_explained_by_their_vectors) {
  const std::string path = testing::shared_file("data/clips/mmaction2_demo_arm_wrestling.mp4");
  ACTIO_NEEDS_SHARED(path);
  const double factors[] = {1, 0, 0.5, 1.5, 2, -1};
  double errors[2][6] = {};
  Tensor before;
  for (const Frame& frame : decode_all(path, true)) {
    const Tensor now = frame.rgb();
    for (const BlockVector& block : frame.vectors) {
      if (std::hypot(block.dx, block.dy) < 0.75 || !before.defined()) continue;
      for (std::size_t k = 0; k < 6; ++k) {
        double sum = 0;
        for (int y = std::max<int>(block.y, 0); y < std::min(block.y + block.height, frame.height); y += 2) {
          for (int x = std::max<int>(block.x, 0); x < std::min(block.x + block.width, frame.width); x += 2) {
            const auto fx = std::clamp<std::int64_t>(x - std::lround(factors[k] * block.dx), 0, frame.width - 1);
            const auto fy = std::clamp<std::int64_t>(y - std::lround(factors[k] * block.dy), 0, frame.height - 1);
            sum += std::abs(now.data<std::uint8_t>()[(static_cast<std::int64_t>(y) * frame.width + x) * 3 + 1] -
                            before.data<std::uint8_t>()[(fy * frame.width + fx) * 3 + 1]);
          }
        }
        errors[frame.type == FrameType::kB][k] += sum;
      }
    }
    before = now;
  }
  for (const auto& of_type : errors) {
    for (std::size_t k = 1; k < 6; ++k) EXPECT_LT(of_type[0], 0.85 * of_type[k]) << "factor " << factors[k];
  }
}

}  // namespace
}  // namespace actio::video
