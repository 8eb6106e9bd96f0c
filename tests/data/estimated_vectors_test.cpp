// Motion vectors of clips whose codec hands out none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/error.h"
#include "data/clip_reader.h"
#include "support/inputs.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

using ::testing::HasSubstr;

class EstimatedVectors : public ::testing::Test {
 protected:
  std::string clip(const std::string& codec, int frames = 40) const {
    const std::string path = dir_ / (codec + std::to_string(frames) + ".mp4");
    testing::write_synthetic_clip({.path = path, .codec = codec, .frames = frames, .width = 160, .height = 128, .dx = 3, .dy = -1, .b_frames = 0});
    return path;
  }

  static ClipRequest request(const std::string& path, VectorSource source) {
    InputSpec input = InputSpec::of("motion", InputKind::kVectors, 64, 3);
    input.vectors = source;
    ClipRequest request = request_for({{64, 64, Resize::kStretch}, {input}}, 3);
    request.path = path;
    return request;
  }

  static bool equal(const ClipInput& a, const ClipInput& b) {
    return std::ranges::equal(a.inputs.at("motion").values<float>(), b.inputs.at("motion").values<float>());
  }

  testing::TempDir dir_;
};

TEST_F(EstimatedVectors, stand_in_where_the_codec_has_none_and_that_is_said) {
  const std::string path = clip("libx265");
  try {
    read_clip(request(path, VectorSource::kCodec));
    FAIL() << "HEVC has no vectors";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
  }
  const ClipInput any = read_clip(request(path, VectorSource::kAny)), estimated = read_clip(request(path, VectorSource::kEstimated));
  EXPECT_TRUE(equal(any, estimated));
  ASSERT_EQ(any.warnings.size(), 1U);
  EXPECT_THAT(any.warnings[0], HasSubstr("HEVC carries no motion vectors that can be read: estimated from the pictures"));
  EXPECT_TRUE(estimated.warnings.empty()) << "they were asked for";
  const auto values = any.inputs.at("motion").values<float>();
  EXPECT_TRUE(std::ranges::any_of(values, [](float value) { return value > 0.1F; })) << "the picture moves to the right";
}

TEST_F(EstimatedVectors, leave_a_codec_alone_that_has_its_own) {
  const std::string path = clip("libx264");
  const ClipInput any = read_clip(request(path, VectorSource::kAny)), codec = read_clip(request(path, VectorSource::kCodec));
  EXPECT_TRUE(equal(any, codec));
  EXPECT_TRUE(any.warnings.empty());
}

TEST_F(EstimatedVectors, are_close_to_those_that_a_codec_has) {
  const std::string path = clip("libx264");
  const ClipInput estimated = read_clip(request(path, VectorSource::kEstimated)), codec = read_clip(request(path, VectorSource::kCodec));
  const auto one = estimated.inputs.at("motion").values<float>(), other = codec.inputs.at("motion").values<float>();
  double apart = 0;
  for (std::size_t i = 0; i < one.size(); ++i) apart += std::abs(one[i] - other[i]);
  // A quarter of a pixel at 128 pixels of height is 0.5 at 256, which 127 / 20 / 57 makes 0.06 of.
  EXPECT_LE(apart / static_cast<double>(one.size()), 0.06);
}

TEST_F(EstimatedVectors, are_the_same_when_few_frames_are_decoded_as_when_all_are) {
  const std::string path = clip("libx265", 60);
  ClipMemory memory;
  const ClipInput first = read_clip(request(path, VectorSource::kEstimated), memory), again = read_clip(request(path, VectorSource::kEstimated), memory);
  EXPECT_TRUE(equal(first, again));
  ClipRequest wide = request(path, VectorSource::kEstimated);
  wide.inputs.list[0].length = 30;  // nearly every frame of the clip
  EXPECT_EQ(read_clip(wide, memory).inputs.at("motion").dim(0), 3);
}

TEST_F(EstimatedVectors, are_no_reason_to_read_a_network_s_inputs_from_two_sources) {
  Inputs inputs = request("", VectorSource::kCodec).inputs;
  inputs.list.push_back(inputs.list[0]);
  inputs.list[1].name = "mv";
  inputs.list[1].vectors = VectorSource::kAny;
  EXPECT_THROW(check_inputs(inputs), Error);
}

}  // namespace
}  // namespace actio::data
