// Networks that look at a clip in several ways at once: what each input gets does not depend on the others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "clips.h"
#include "data/clip_reader.h"
#include "data/transform.h"
#include "support/temp_dir.h"
#include "video/decoder.h"

namespace actio::data {
namespace {

using testing::write_moving_clip;

Preprocess small() {
  return {.input_size = 32, .short_side = 36, .motion_length = 3, .flow_quality = "fast", .flow_short_side = 40};
}

class SeveralInputs : public ::testing::Test {
 protected:
  ClipRequest request(const std::vector<std::string>& names) const {
    ClipRequest request = request_for(inputs_of(names, small()), 4);
    request.path = dir_ / "a.mp4";
    return request;
  }
  static bool same(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
  }
  void SetUp() override { write_moving_clip(dir_ / "a.mp4", {.frames = 24}, 1.5, -1); }
  actio::testing::TempDir dir_;
};

TEST_F(SeveralInputs, are_each_what_they_are_alone) {
  for (const bool augment : {false, true}) {
    for (const bool cached : {false, true}) {
      const auto read = [&](const std::vector<std::string>& names) {
        ClipRequest wanted = request(names);
        wanted.augment = augment;
        wanted.seed = 7;
        if (augment) wanted.sampling = Sampling::kRandom;
        if (cached) wanted.flow_cache = dir_ / "cache";
        return read_clip(wanted);
      };
      const ClipInput all = read({"rgb", "rgbdiff", "flow", "mv"});
      ASSERT_EQ(all.inputs.size(), 4U);
      for (const std::string name : {"rgb", "rgbdiff", "flow", "mv"}) {
        const ClipInput alone = read({name});
        EXPECT_EQ(alone.sampled, all.sampled);
        EXPECT_TRUE(same(alone.inputs.at(name), all.inputs.at(name))) << name << (augment ? " augmented" : "") << (cached ? " cached" : "");
      }
    }
  }
}

TEST_F(SeveralInputs, of_one_kind_may_have_other_names_sizes_lengths_and_scales) {
  ClipRequest wanted = request({"rgb", "rgbdiff", "mv"});
  InputSpec other = wanted.inputs.list.at(0);
  other.name = "small";
  other.size = 16;
  other.mean = {0, 0, 0};
  wanted.inputs.list.push_back(other);
  InputSpec longer = wanted.inputs.list.at(2);
  longer.name = "long";
  longer.length = 6;
  wanted.inputs.list.push_back(longer);
  const ClipInput all = read_clip(wanted);
  EXPECT_EQ(all.inputs.at("small").shape(), (Shape{4, 3, 16, 16}));
  EXPECT_EQ(all.inputs.at("long").shape(), (Shape{4, 12, 32, 32}));
  for (const InputSpec& input : wanted.inputs.list) {
    ClipRequest alone = wanted;
    alone.inputs.list = {input};
    EXPECT_TRUE(same(read_clip(alone).inputs.at(input.name), all.inputs.at(input.name))) << input.name;
  }
  const std::size_t three = 3 * 2 * 32 * 32 * sizeof(float);  // the first fields of a longer window are those of a shorter one
  EXPECT_EQ(std::memcmp(all.inputs.at("long").raw(), all.inputs.at("mv").raw(), three), 0);
}

TEST_F(SeveralInputs, of_frames_may_be_stacks_in_the_order_of_time) {
  ClipRequest wanted = request({"rgb"});
  InputSpec& stack = wanted.inputs.list.at(0);
  stack.length = 4;
  for (const MotionWindow window : {MotionWindow::kStarting, MotionWindow::kCentred}) {
    stack.window = window;
    const ClipInput clip = read_clip(wanted);
    ASSERT_EQ(clip.inputs.at("rgb").shape(), (Shape{4, 12, 32, 32}));
    std::vector<video::Frame> frames;
    video::Decoder decoder(wanted.path, {});
    while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
    Tensor expected({3, 32, 32});
    for (std::size_t k = 0; k < 4; ++k) {
      for (std::int64_t l = 0; l < 4; ++l) {
        const std::int64_t first = clip.sampled[k] - (window == MotionWindow::kCentred ? 1 : 0);
        const auto index = static_cast<std::size_t>(std::min<std::int64_t>(first + l, clip.frames - 1));
        transform_rgb(frames[index].rgb(), centre_crop(64, 48, wanted.inputs.framing), stack, expected.values<float>());
        const float* given = clip.inputs.at("rgb").data<float>() + (static_cast<std::int64_t>(k) * 4 + l) * 3 * 32 * 32;
        ASSERT_EQ(std::memcmp(expected.raw(), given, expected.bytes()), 0) << name_of(window) << " " << k << " " << l;
      }
    }
  }
}

}  // namespace
}  // namespace actio::data
