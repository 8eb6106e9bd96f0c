#include "video/h264_reference.h"

#include <gtest/gtest.h>

#include <vector>

namespace actio::video {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::optional<bool> h264_is_reference(const Bytes& packet, int length_size) {
  const auto picture = h264_picture(packet, length_size);
  return picture ? std::optional(picture->reference) : std::nullopt;
}

TEST(H264Reference, tells_an_idr_from_other_pictures) {
  EXPECT_TRUE(h264_picture(Bytes{0, 0, 0, 1, 0x65, 1, 2}, 0)->idr);
  EXPECT_FALSE(h264_picture(Bytes{0, 0, 0, 1, 0x41, 1, 2}, 0)->idr);
}

TEST(H264Reference, reads_the_first_slice_behind_start_codes) {
  EXPECT_EQ(h264_is_reference(Bytes{0, 0, 0, 1, 0x65, 1, 2}, 0), true);  // IDR
  EXPECT_EQ(h264_is_reference(Bytes{0, 0, 1, 0x01, 9, 9}, 0), false);    // B, not a reference
  EXPECT_EQ(h264_is_reference(Bytes{0, 0, 1, 0x09, 0xF0, 0, 0, 1, 0x06, 5, 0, 0, 1, 0x41, 7}, 0), true);
  EXPECT_EQ(h264_is_reference(Bytes{0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2}, 0), std::nullopt);  // parameter sets only
}

TEST(H264Reference, reads_the_first_slice_behind_lengths) {
  EXPECT_EQ(h264_is_reference(Bytes{0, 0, 0, 2, 0x06, 1, 0, 0, 0, 3, 0x01, 1, 2}, 4), false);
  EXPECT_EQ(h264_is_reference(Bytes{0, 2, 0x06, 1, 0, 3, 0x41, 1, 2}, 2), true);
  EXPECT_EQ(h264_is_reference(Bytes{2, 0x06, 1, 3, 0x65, 1, 2}, 1), true);
}

TEST(H264Reference, survives_damage) {
  EXPECT_EQ(h264_is_reference({}, 0), std::nullopt);
  EXPECT_EQ(h264_is_reference({}, 4), std::nullopt);
  EXPECT_EQ(h264_is_reference(Bytes{0, 0, 1}, 0), std::nullopt);
  EXPECT_EQ(h264_is_reference(Bytes{0, 0, 0, 9}, 4), std::nullopt);
  EXPECT_EQ(h264_is_reference(Bytes{0xFF, 0xFF, 0xFF, 0xFF, 0x06, 1, 2}, 4), std::nullopt);
  EXPECT_EQ(h264_is_reference(Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 4), std::nullopt);
}

TEST(H264Reference, knows_the_size_of_lengths) {
  EXPECT_EQ(h264_length_size(Bytes{1, 100, 0, 31, 0xFF, 0xE1, 0}), 4);
  EXPECT_EQ(h264_length_size(Bytes{1, 100, 0, 31, 0xFD, 0xE1, 0}), 2);
  EXPECT_EQ(h264_length_size(Bytes{0, 0, 0, 1, 0x67, 100, 0, 31}), 0);
  EXPECT_EQ(h264_length_size({}), 0);
}

}  // namespace
}  // namespace actio::video
