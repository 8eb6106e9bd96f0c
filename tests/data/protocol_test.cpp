#include "data/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/crop.h"
#include "data/sampling.h"

namespace actio::data {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(ViewCrops, are_the_corners_and_the_middle_then_the_same_mirrored) {
  const Framing framing{.size = 224, .short_side = 256};
  const auto boxes = view_crops(ViewCrops::kTen, 340, 256, framing);
  ASSERT_EQ(boxes.size(), 10u);
  EXPECT_EQ(boxes[0], (CropBox{0, 0, 224, 224, false}));
  EXPECT_EQ(boxes[1], (CropBox{116, 0, 224, 224, false}));
  EXPECT_EQ(boxes[2], (CropBox{0, 32, 224, 224, false}));
  EXPECT_EQ(boxes[3], (CropBox{116, 32, 224, 224, false}));
  EXPECT_EQ(boxes[4], centre_crop(340, 256, framing));
  for (std::size_t i = 0; i < 5; ++i) {
    CropBox mirrored = boxes[i];
    mirrored.flip = true;
    EXPECT_EQ(boxes[i + 5], mirrored);
  }
}

TEST(ViewCrops, cover_the_long_side_with_three_squares_whichever_side_is_long) {
  EXPECT_THAT(view_crops(ViewCrops::kThree, 320, 240, Framing{}),
              ElementsAre(CropBox{0, 0, 240, 240, false}, CropBox{40, 0, 240, 240, false}, CropBox{80, 0, 240, 240, false}));
  EXPECT_THAT(view_crops(ViewCrops::kThree, 120, 180, Framing{}),
              ElementsAre(CropBox{0, 0, 120, 120, false}, CropBox{0, 30, 120, 120, false}, CropBox{0, 60, 120, 120, false}));
}

TEST(ViewCrops, stay_inside_of_frames_of_any_size) {
  for (const auto& [width, height] : {std::pair{1, 1}, {7, 300}, {321, 123}, {176, 144}}) {
    for (const auto& [crops, name] : kNames<ViewCrops>) {
      for (const CropBox& box : view_crops(crops, width, height, Framing{.size = 112, .short_side = 128})) {
        EXPECT_GE(box.left, 0) << name;
        EXPECT_GE(box.top, 0) << name;
        EXPECT_LE(box.left + box.width, width + 1e-9) << name;
        EXPECT_LE(box.top + box.height, height + 1e-9) << name;
      }
    }
  }
}

TEST(ViewCrops, look_once_at_a_whole_frame_that_is_stretched_and_at_its_mirror_image) {
  const Framing stretched{.resize = Resize::kStretch};
  const CropBox whole{0, 0, 33, 44, false}, mirrored{0, 0, 33, 44, true};
  EXPECT_THAT(view_crops(ViewCrops::kTen, 33, 44, stretched), ElementsAre(whole, mirrored));
  EXPECT_THAT(view_crops(ViewCrops::kThree, 33, 44, stretched), ElementsAre(whole));
  EXPECT_EQ(named_protocol(ProtocolName::kTsn).views(stretched).size(), 2u);
  EXPECT_EQ(named_protocol(ProtocolName::kSlowfast).views(stretched).size(), 10u);
}

TEST(Protocol, counts_the_views_of_each_paper) {
  EXPECT_EQ(named_protocol(ProtocolName::kCentre).views(Framing{}).size(), 1u);
  EXPECT_EQ(named_protocol(ProtocolName::kTsn).views(Framing{}).size(), 10u);
  EXPECT_EQ(named_protocol(ProtocolName::kTsn).segments, 25);
  EXPECT_EQ(named_protocol(ProtocolName::kStfn).views(Framing{}).size(), 5u);
  EXPECT_EQ(named_protocol(ProtocolName::kSlowfast).views(Framing{}).size(), 30u);
}

TEST(Protocol, of_stfn_takes_five_different_frames_of_each_segment) {
  Rng rng(1);
  const Protocol protocol = named_protocol(ProtocolName::kStfn);
  std::vector<std::int64_t> first_segment;
  for (const double place : protocol.places) {
    first_segment.push_back(sample_segments(100, 5, Sampling::kCentre, rng, place).front());
  }
  EXPECT_THAT(first_segment, ElementsAre(2, 6, 10, 14, 18));
  EXPECT_THAT(protocol.places[2], DoubleNear(0.5, 1e-12));
}

TEST(Protocol, refuses_what_makes_no_sense_in_one_line) {
  for (const Protocol& wrong : {Protocol{-1, {0.5}}, Protocol{0, {}}, Protocol{0, {1.5}}, Protocol{0, {std::nan("")}}}) {
    EXPECT_THROW(wrong.views(Framing{}), Error);
  }
}

}  // namespace
}  // namespace actio::data
