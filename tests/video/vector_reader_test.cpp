// Which references vectors are measured against, on frames made by hand: no encoder here writes deeper pyramids.
#include "video/vector_reader.h"

#include <gtest/gtest.h>

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/motion_vector.h>
}

#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "video/ffmpeg_handles.h"

namespace actio::video {
namespace {

constexpr std::int64_t kGroups = 6;

struct Entry {
  std::int64_t display, order;
  FrameType type;
  bool reference;
};

// Groups of eight with three levels of B-frames: P8, B4, B2, b1, b3, B6, b5, b7.
std::vector<Entry> pyramid() {
  std::vector<Entry> entries(8 * kGroups + 1);
  entries[0] = {0, 0, FrameType::kI, true};
  for (std::int64_t group = 0; group < kGroups; ++group) {
    std::int64_t order = 8 * group;
    for (const std::int64_t place : {8, 4, 2, 1, 3, 6, 5, 7}) {
      const std::int64_t display = 8 * group + place;
      entries[static_cast<std::size_t>(display)] = {display, ++order, place == 8 ? FrameType::kP : FrameType::kB,
                                                    place % 2 == 0};
    }
  }
  return entries;
}

// One block of eight pixels' motion towards the past; all pictures are alike, so that the nearest reference is chosen.
std::shared_ptr<const AVFrame> picture_with_vector() {
  FrameHandle picture(av_frame_alloc());
  picture->format = AV_PIX_FMT_GRAY8;
  picture->width = picture->height = 32;
  EXPECT_GE(av_frame_get_buffer(picture.get(), 0), 0);
  std::memset(picture->data[0], 100, static_cast<std::size_t>(picture->linesize[0]) * 32);
  AVFrameSideData* data = av_frame_new_side_data(picture.get(), AV_FRAME_DATA_MOTION_VECTORS, sizeof(AVMotionVector));
  AVMotionVector vector{};
  vector.source = -1;
  vector.w = vector.h = 16;
  vector.dst_x = vector.dst_y = 8;
  vector.motion_x = 8;
  vector.motion_scale = 1;
  std::memcpy(data->data, &vector, sizeof vector);
  return std::shared_ptr<const AVFrame>(std::move(picture));
}

// Display index -> distance to the reference that the vector was divided by.
std::map<std::int64_t, int> distances(int references, bool skips_others) {
  VectorReader reader(VectorReader::Kind::kSeveral);
  std::map<std::int64_t, int> found;
  const auto drain = [&](bool end) {
    while (const auto frame = reader.pop(end)) {
      if (!frame->vectors.empty()) found[frame->index] = static_cast<int>(std::lround(-8 / frame->vectors[0].dx));
    }
  };
  for (const Entry& entry : pyramid()) {
    if (skips_others && !entry.reference) continue;
    VectorReader::DecodedFrame decoded;
    decoded.frame.index = entry.display;
    decoded.frame.type = entry.type;
    decoded.frame.key = entry.display == 0;
    decoded.frame.picture = picture_with_vector();
    decoded.order = entry.order;
    decoded.reference = entry.reference;
    reader.set_stream(references, 3);
    reader.push(std::move(decoded));
    drain(false);
  }
  drain(true);
  return found;
}

TEST(VectorReader, measures_against_the_nearest_reference_that_was_decoded_before_in_a_deep_pyramid) {
  for (const int references : {1, 2, 3, 4, 8}) {
    const auto found = distances(references, false);
    ASSERT_EQ(found.size(), static_cast<std::size_t>(8 * kGroups));
    for (const auto& [display, distance] : found) {
      const std::int64_t place = display % 8;
      // P8, B4 and B2 look back to the last P, B6 to B4, the odd ones to the frame before.
      const int expected = place == 0 ? 8 : place == 4 ? 4 : place % 4 == 2 ? 2 : 1;
      EXPECT_EQ(distance, expected) << "frame " << display << ", " << references << " references";
    }
  }
}

TEST(VectorReader, chooses_the_same_references_where_frames_that_nothing_refers_to_are_not_decoded) {
  for (const int references : {1, 2, 3, 4, 8}) {
    const auto whole = distances(references, false);
    for (const auto& [display, distance] : distances(references, true)) {
      EXPECT_EQ(distance, whole.at(display)) << "frame " << display << ", " << references << " references";
    }
  }
}

}  // namespace
}  // namespace actio::video
