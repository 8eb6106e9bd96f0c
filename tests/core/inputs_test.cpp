#include "core/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"

namespace actio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "no error";
}

Preprocess unusual(Motion motion) {
  return {.input_size = 48, .short_side = 60, .resize = Resize::kStretch, .rgb_mean = {1, 2, 3}, .rgb_std = {4, 5, 6},
          .motion = motion, .motion_length = 7, .motion_window = MotionWindow::kCentred, .motion_bound = 9, .motion_mean = 100,
          .motion_std = 30, .key_frames = KeyFrames::kZero, .flow_quality = "fast", .flow_short_side = 64};
}

TEST(Inputs, have_the_shape_of_what_a_snippet_becomes) {
  const Inputs inputs = inputs_of({"rgb", "rgbdiff", "flow", "mv"}, {.input_size = 32, .motion_length = 5});
  std::vector<Shape> rows;
  for (const InputSpec& input : inputs.list) rows.push_back(input.row());
  EXPECT_THAT(rows, ElementsAre(Shape{3, 32, 32}, Shape{15, 32, 32}, Shape{10, 32, 32}, Shape{10, 32, 32}));
  EXPECT_THAT(inputs.names(), ElementsAre("rgb", "rgbdiff", "flow", "mv"));
}

TEST(Inputs, named_motion_are_of_the_kind_that_the_options_say) {
  EXPECT_EQ(inputs_of({"motion"}, {.motion = Motion::kFlow}).list.at(0).kind, InputKind::kFlow);
  EXPECT_EQ(inputs_of({"motion"}, {.motion = Motion::kRgbDifference}).list.at(0).kind, InputKind::kRgbDifference);
  EXPECT_THAT(refusal([] { inputs_of({"rgb", "motion"}, {}); }), HasSubstr("motion is 'none'; choose mv, rgbdiff or flow"));
  EXPECT_EQ(refusal([] { inputs_of({"rgb", "flwo"}, {}); }), "unknown stream 'flwo'; the nearest is 'flow'");
  EXPECT_THAT(refusal([] { inputs_of({"frame"}, {}); }), HasSubstr("unknown stream 'frame'"));
  EXPECT_THAT(refusal([] { inputs_of({""}, {}); }), HasSubstr("a name is missing"));
}

TEST(Inputs, are_read_as_they_were_written) {
  const Inputs inputs = inputs_of({"rgb", "rgbdiff", "flow", "mv"}, unusual(Motion::kNone));
  EXPECT_EQ(inputs_from_json(to_json(inputs), "m"), inputs);
  EXPECT_EQ(inputs_from_json(to_json(Inputs{}), "m"), Inputs{});
}

TEST(Inputs, name_only_what_their_kind_has) {
  const std::string frame = to_json(inputs_of({"rgb"}, {})).dump(), flow = to_json(inputs_of({"flow"}, {})).dump();
  EXPECT_THAT(frame, Not(HasSubstr("bound")));
  EXPECT_THAT(frame, Not(HasSubstr("flow_quality")));
  EXPECT_THAT(flow, HasSubstr("\"flow_quality\":\"paper\""));
  EXPECT_THAT(flow, Not(HasSubstr("key_frames")));
}

TEST(Inputs, go_back_to_the_options_that_made_them) {
  for (const Motion motion : {Motion::kVectors, Motion::kRgbDifference, Motion::kFlow}) {
    const Inputs inputs = inputs_of({"rgb", "motion"}, unusual(motion));
    EXPECT_EQ(inputs_of({"rgb", "motion"}, preprocess_of(inputs)), inputs) << name_of(motion);
  }
  EXPECT_EQ(preprocess_of(inputs_of({"rgb"}, unusual(Motion::kFlow))).motion, Motion::kNone) << "pictures do not move";
}

TEST(Inputs, that_contradict_themselves_or_each_other_are_refused_with_both_values) {
  const Inputs good = inputs_of({"rgb", "flow", "mv"}, {});
  const auto refused = [&](const std::function<void(Inputs&)>& change) {
    Inputs bad = good;
    change(bad);
    return refusal([&] { check_inputs(bad); });
  };
  EXPECT_EQ(refused([](Inputs&) {}), "no error");
  EXPECT_EQ(refused([](Inputs& i) { i.list[1].name = "rgb"; }), "two inputs are named 'rgb'");
  EXPECT_EQ(refused([](Inputs& i) { i.list[0].mean = {1}; }), "the input 'rgb' of kind frame has 1 values of its mean, 3 were expected");
  EXPECT_EQ(refused([](Inputs& i) { i.list[2].std = {1, 2, 3}; }), "the input 'mv' of kind mv has 3 values of its deviation, 1 were expected");
  EXPECT_EQ(refused([](Inputs& i) { i.list[2].std = {0}; }), "the input 'mv' has a deviation of 0, 1e-6 at least was expected");
  EXPECT_EQ(refused([](Inputs& i) { i.list[0].size = 8; }), "the input 'rgb' has 8 pixels, 16 to 4096 were expected");
  EXPECT_EQ(refused([](Inputs& i) { i.list[1].length = 65; }), "the input 'flow' has length 65, 1 to 64 were expected");
  EXPECT_EQ(refused([](Inputs& i) {
              i.list.push_back(i.list[1]);
              i.list[3].name = "fast";
              i.list[3].flow_quality = "fast";
            }),
            "the inputs 'flow' and 'fast' need flow of two settings: paper at 256 px up to 20, and fast at 256 px up to 20");
  EXPECT_EQ(refused([](Inputs& i) {
              i.list.push_back(i.list[2]);
              i.list[3].name = "zero";
              i.list[3].key_frames = KeyFrames::kZero;
            }),
            "the inputs 'mv' and 'zero' take the vectors of key frames in two ways: carry and zero");
}

}  // namespace
}  // namespace actio
