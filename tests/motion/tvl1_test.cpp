#include "motion/tvl1.h"

#include <gmock/gmock.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <opencv2/optflow.hpp>

#include "core/error.h"
#include "core/rng.h"
#include "motion/flow_ops.h"
#include "motion/flow_scenes.h"
#include "support/highway_targets.h"
#include "support/shared_data.h"
#include "video/decoder.h"

namespace actio::motion {
namespace {

using ::testing::AllOf;
using testing::end_point_error;
using testing::flow_scenes;
using ::testing::HasSubstr;

Tensor flow_of(const Tensor& first, const Tensor& second, const Tvl1Options& options = {}, int threads = 1) {
  const int height = static_cast<int>(first.dim(0)), width = static_cast<int>(first.dim(1));
  Tensor flow({2, height, width});
  Tvl1(width, height, options, threads).run(first, second, flow);
  return flow;
}

Tensor opencv_flow(const Tensor& first, const Tensor& second) {
  const int height = static_cast<int>(first.dim(0)), width = static_cast<int>(first.dim(1));
  const auto mat = [&](const Tensor& t) { return cv::Mat(height, width, CV_8U, const_cast<std::byte*>(t.raw())); };
  cv::Mat found;
  cv::optflow::DualTVL1OpticalFlow::create()->calc(mat(first), mat(second), found);
  Tensor flow({2, height, width});
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 2; ++c) flow.data<float>()[(c * height + y) * width + x] = found.at<cv::Vec2f>(y, x)[c];
    }
  }
  return flow;
}

Tensor random_picture(int width, int height, std::uint64_t seed, int lowest = 0, int highest = 255) {
  Tensor picture({height, width}, DType::kU8);
  Rng rng(seed);
  for (auto& value : picture.values<std::uint8_t>())
    value = static_cast<std::uint8_t>(lowest + rng.below(highest - lowest + 1));
  return picture;
}

float largest(const Tensor& flow) {
  float most = 0;
  for (const float value : flow.values<float>()) most = std::isfinite(value) ? std::max(most, std::abs(value)) : INFINITY;
  return most;
}

std::string usage_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "no error";
}

TEST(Tvl1, paper_quality_is_within_5_percent_of_opencv_on_every_known_flow) {
  for (const auto& [width, height] : {std::pair(240, 180), {161, 123}, {97, 131}}) {
    for (const auto& scene : flow_scenes(width, height, 7)) {
      const double peer = end_point_error(opencv_flow(scene.first, scene.second), scene.flow);
      const double own = end_point_error(flow_of(scene.first, scene.second, tvl1_options("paper")), scene.flow);
      EXPECT_LE(own, 1.05 * peer) << scene.name << " " << width << "x" << height;
    }
  }
}

TEST(Tvl1, every_quality_follows_every_known_flow) {
  for (const auto& scene : flow_scenes(161, 123, 11)) {
    const double still = end_point_error(Tensor({2, 123, 161}), scene.flow);
    for (const auto& quality : tvl1_qualities()) {
      const double error = end_point_error(flow_of(scene.first, scene.second, tvl1_options(quality)), scene.flow);
      EXPECT_LT(error, 0.5 * still) << quality << ", " << scene.name;
    }
  }
}

TEST(Tvl1, a_picture_that_moves_right_by_2_pixels_has_positive_x_flow) {
  const auto scene = flow_scenes(96, 80, 3)[0];
  Tensor first({80, 90}, DType::kU8), second({80, 90}, DType::kU8);
  for (int y = 0; y < 80; ++y) {
    for (int x = 0; x < 90; ++x) {
      first.data<std::uint8_t>()[y * 90 + x] = scene.first.data<std::uint8_t>()[y * 96 + x + 4];
      second.data<std::uint8_t>()[y * 90 + x] = scene.first.data<std::uint8_t>()[y * 96 + x + 2];
    }
  }
  const Tensor flow = flow_of(first, second);
  EXPECT_NEAR(flow.data<float>()[40 * 90 + 45], 2, 0.1);
  EXPECT_NEAR(flow.data<float>()[(80 + 40) * 90 + 45], 0, 0.1);
}

TEST(Tvl1, flat_pictures_have_zero_flow_even_where_their_levels_of_grey_differ) {
  for (const auto& [a, b] : {std::pair(0, 0), {128, 128}, {0, 255}, {255, 3}}) {
    const Tensor first = random_picture(61, 47, 1, a, a), second = random_picture(61, 47, 1, b, b);
    EXPECT_EQ(largest(flow_of(first, second)), 0) << a << " " << b;
  }
}

TEST(Tvl1, identical_pictures_have_nearly_zero_flow) {
  const auto scene = flow_scenes(131, 97, 5)[0];
  EXPECT_LT(largest(flow_of(scene.first, scene.first)), 1e-3F);
  const Tensor noise = random_picture(64, 64, 9);
  EXPECT_LT(largest(flow_of(noise, noise)), 1e-3F);
}

TEST(Tvl1, the_result_does_not_depend_on_the_number_of_threads) {
  for (const auto& [width, height] : {std::pair(161, 123), {97, 211}, {33, 16}}) {
    const auto scene = flow_scenes(width, height, 13).back();
    for (const auto& quality : tvl1_qualities()) {
      const Tensor expected = flow_of(scene.first, scene.second, tvl1_options(quality), 1);
      for (const int threads : {2, 3, 4, 7}) {
        const Tensor flow = flow_of(scene.first, scene.second, tvl1_options(quality), threads);
        EXPECT_EQ(std::memcmp(flow.raw(), expected.raw(), flow.bytes()), 0) << quality << ", " << threads << " threads";
      }
    }
  }
}

TEST(Tvl1, a_second_run_forgets_the_first_one) {
  const auto scenes = flow_scenes(75, 91, 17);
  Tvl1 tvl1(75, 91, {}, 2);
  Tensor flow({2, 91, 75});
  const Tensor noise = random_picture(75, 91, 21), other = random_picture(75, 91, 22);
  tvl1.run(noise, other, flow);
  tvl1.run(scenes[2].first, scenes[2].second, flow);
  const Tensor expected = flow_of(scenes[2].first, scenes[2].second);
  EXPECT_EQ(std::memcmp(flow.raw(), expected.raw(), flow.bytes()), 0);
}

// They approximate the reciprocal root to 12 bits, 14 bits or exactly. Where an object hides the ground nothing but the
// order of rounding decides between its flow and the ground's, so the scene with occlusion differs more than the others.
TEST(Tvl1, every_instruction_set_gives_nearly_the_same_flow) {
  const std::int64_t available = hwy::SupportedTargets();
  const auto scenes = flow_scenes(101, 83, 19);
  Tvl1Options settled;  // the same number of iterations everywhere
  settled.epsilon = 0;
  std::vector<Tensor> expected;
  for (const std::int64_t target : {HWY_SCALAR, HWY_SSSE3, HWY_SSE4, HWY_AVX2, HWY_AVX3}) {
    if ((available & target) == 0 && target != HWY_SCALAR) continue;
    hwy::SetSupportedTargetsForTest(target);
    EXPECT_EQ(flow_ops_target(), hwy::TargetName(target));
    for (std::size_t i = 0; i < scenes.size(); ++i) {
      const Tensor flow = flow_of(scenes[i].first, scenes[i].second, settled);
      if (target == HWY_SCALAR) {
        expected.push_back(flow);
      } else {
        EXPECT_LT(end_point_error(flow, expected[i]), scenes[i].name == "two objects moving apart" ? 2e-2 : 2e-3)
            << hwy::TargetName(target) << ", " << scenes[i].name;
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
}

TEST(Tvl1, no_picture_gives_anything_but_finite_flow) {
  Rng rng(23);
  for (int trial = 0; trial < 40; ++trial) {
    const int width = 16 + static_cast<int>(rng.below(40)), height = 16 + static_cast<int>(rng.below(40));
    const Tensor first = random_picture(width, height, rng.next()), second = random_picture(width, height, rng.next());
    Tensor stark = random_picture(width, height, rng.next(), 0, 1);
    for (auto& value : stark.values<std::uint8_t>()) value = static_cast<std::uint8_t>(value * 255);
    Tvl1Options options;
    options.iterations = 1 + static_cast<int>(rng.below(25));
    options.median = 1 + 2 * static_cast<int>(rng.below(3));
    options.epsilon = rng.chance(0.5) ? 0 : 0.01;
    for (const Tensor* other : {&second, static_cast<const Tensor*>(&stark)}) {
      EXPECT_LT(largest(flow_of(first, *other, options, 1 + trial % 3)), 200) << width << "x" << height;
    }
  }
}

TEST(Tvl1, the_smallest_picture_and_narrow_ones_work) {
  for (const auto& [width, height] : {std::pair(16, 16), {17, 16}, {16, 300}, {1000, 16}, {31, 33}, {48, 17}}) {
    const auto scene = flow_scenes(width, height, 29)[0];
    const Tensor flow = flow_of(scene.first, scene.second, {}, 2);
    EXPECT_LT(end_point_error(flow, scene.flow), 0.3) << width << "x" << height;
  }
}

TEST(Tvl1, wrong_tensors_are_refused_with_both_shapes) {
  Tvl1 tvl1(40, 30);
  Tensor good({30, 40}, DType::kU8), flow({2, 30, 40}), turned({40, 30}, DType::kU8), real({30, 40}), small({2, 30, 39}),
      none;
  EXPECT_THAT(usage_error([&] { tvl1.run(turned, good, flow); }), AllOf(HasSubstr("[30, 40]"), HasSubstr("[40, 30]")));
  EXPECT_THAT(usage_error([&] { tvl1.run(good, turned, flow); }), AllOf(HasSubstr("[30, 40]"), HasSubstr("[40, 30]")));
  EXPECT_THAT(usage_error([&] { tvl1.run(real, good, flow); }), AllOf(HasSubstr("u8"), HasSubstr("f32")));
  EXPECT_THAT(usage_error([&] { tvl1.run(good, good, small); }), AllOf(HasSubstr("[2, 30, 40]"), HasSubstr("[2, 30, 39]")));
  EXPECT_THAT(usage_error([&] { tvl1.run(none, good, flow); }), HasSubstr("[30, 40]"));
  EXPECT_THAT(usage_error([&] { tvl1.run(good, good, none); }), HasSubstr("[2, 30, 40]"));
}

TEST(Tvl1, sizes_and_options_that_make_no_sense_are_refused) {
  EXPECT_THAT(usage_error([] { Tvl1(15, 40); }), HasSubstr("15 x 40"));
  EXPECT_THAT(usage_error([] { Tvl1(40, 16385); }), HasSubstr("16385"));
  EXPECT_THAT(usage_error([] { Tvl1(-1, -1); }), HasSubstr("-1"));
  EXPECT_THAT(usage_error([] { Tvl1(40, 40, {}, 0); }), HasSubstr("threads"));
  const std::pair<const char*, std::function<void(Tvl1Options&)>> changes[] = {
      {"tau", [](Tvl1Options& o) { o.tau = 0; }},
      {"tau", [](Tvl1Options& o) { o.tau = NAN; }},
      {"tau", [](Tvl1Options& o) { o.tau = 0.26; }},
      {"lambda", [](Tvl1Options& o) { o.lambda = -1; }},
      {"theta", [](Tvl1Options& o) { o.theta = 0; }},
      {"scale_step", [](Tvl1Options& o) { o.scale_step = 1; }},
      {"epsilon", [](Tvl1Options& o) { o.epsilon = -0.1; }},
      {"primal_step", [](Tvl1Options& o) { o.primal_step = 0; }},
      {"relax", [](Tvl1Options& o) { o.relax = 2; }},
      {"huber", [](Tvl1Options& o) { o.huber = -1; }},
      {"carry", [](Tvl1Options& o) { o.carry = 1.5; }},
      {"scales", [](Tvl1Options& o) { o.scales = 0; }},
      {"warps", [](Tvl1Options& o) { o.warps = 0; }},
      {"iterations", [](Tvl1Options& o) { o.iterations = -5; }},
      {"median", [](Tvl1Options& o) { o.median = 4; }},
  };
  for (const auto& [name, change] : changes) {
    Tvl1Options options;
    change(options);
    EXPECT_THAT(usage_error([&] { Tvl1(40, 40, options); }), HasSubstr(name));
  }
}

TEST(Tvl1, an_unknown_quality_names_the_nearest) {
  EXPECT_EQ(tvl1_qualities().front(), "paper");
  for (const auto& quality : tvl1_qualities()) EXPECT_NO_THROW(Tvl1(40, 40, tvl1_options(quality)));
  EXPECT_THAT(usage_error([] { tvl1_options("papr"); }), HasSubstr("'paper'"));
}

Tensor grey(const video::Frame& frame) {
  const Tensor rgb = frame.rgb();
  Tensor out({frame.height, frame.width}, DType::kU8);
  const std::uint8_t* p = rgb.data<std::uint8_t>();
  for (auto& value : out.values<std::uint8_t>()) {
    value = static_cast<std::uint8_t>((77 * p[0] + 150 * p[1] + 29 * p[2] + 128) >> 8);
    p += 3;
  }
  return out;
}

TEST(Tvl1, stays_near_the_flow_of_opencv_on_real_frames) {
  const std::string clip = testing::shared_file("data/clips/ucf101_v_ApplyEyeMakeup_g01_c01.avi");
  ACTIO_NEEDS_SHARED(clip);
  video::Decoder decoder(clip);
  Tensor first = grey(*decoder.next());
  double difference = 0, length = 0;
  for (int pair = 0; pair < 4; ++pair) {
    const Tensor second = grey(*decoder.next());
    const Tensor peer = opencv_flow(first, second);
    difference += end_point_error(flow_of(first, second), peer) / 4;
    length += end_point_error(peer, Tensor(peer.shape())) / 4;
    first = second;
  }
  RecordProperty("mean_difference", std::to_string(difference));
  std::printf("mean difference from OpenCV's flow: %.4f pixels, mean length of its flow: %.4f pixels\n", difference, length);
  EXPECT_LT(difference, 0.1);
}

}  // namespace
}  // namespace actio::motion
