#include "data/clip_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

#include "clips.h"
#include "core/error.h"
#include "data/transform.h"
#include "motion/flow_stream.h"
#include "motion/vector_field.h"
#include "motion/vector_stream.h"
#include "support/inputs.h"
#include "support/stalling_source.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"
#include "video/decoder.h"
#include "video/encoder.h"
#include "support/shared_data.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::grey_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::write_grey_clip;
using testing::write_moving_clip;

class ClipReader : public ::testing::Test {
 protected:
  static ClipRequest request_of(const std::string& path, std::int64_t segments, const std::string& motion = "none") {
    ClipRequest request;
    request.path = path;
    request.segments = segments;
    Preprocess preprocess;
    preprocess.input_size = 32;
    preprocess.short_side = 36;
    preprocess.motion = value_named<Motion>("motion", motion);
    preprocess.motion_length = 3;
    request.inputs = actio::testing::inputs_for(preprocess);
    return request;
  }
  static std::vector<video::Frame> frames_of(const std::string& path, bool vectors) {
    std::vector<video::Frame> frames;
    video::Decoder decoder(path, {.vectors = vectors});
    while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
    return frames;
  }
  static bool same(const TensorMap& a, const TensorMap& b) {
    if (a.size() != b.size()) return false;
    return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
      return x.first == y.first && x.second.shape() == y.second.shape() &&
             std::memcmp(x.second.raw(), y.second.raw(), x.second.bytes()) == 0;
    });
  }
  static Error error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::kFailed, "no error");
  }
  // Grey level of the snippet at row k, from normalised red.
  static double level(const ClipInput& clip, std::int64_t k) {
    const Tensor& rgb = clip.inputs.at("rgb");
    const Preprocess defaults;
    return rgb.data<float>()[k * 3 * rgb.dim(2) * rgb.dim(3) + 100] * defaults.rgb_std[0] + defaults.rgb_mean[0];
  }
  actio::testing::TempDir dir_;
};

TEST_F(ClipReader, takes_the_middle_frames_in_display_order_with_b_frames) {
  write_grey_clip(dir_ / "a.mp4");
  const ClipInput clip = read_clip(request_of(dir_ / "a.mp4", 3));
  EXPECT_THAT(clip.sampled, ElementsAre(5, 15, 25));
  EXPECT_EQ(clip.frames, 30);
  EXPECT_EQ(clip.inputs.at("rgb").shape(), (Shape{3, 3, 32, 32}));
  EXPECT_EQ(clip.inputs.size(), 1u);
  EXPECT_THAT(clip.warnings, IsEmpty());
  for (std::int64_t k = 0; k < 3; ++k) EXPECT_NEAR(level(clip, k), grey_of(clip.sampled[static_cast<std::size_t>(k)]), 2.5);
}

TEST_F(ClipReader, gives_the_frames_that_decoding_and_transforming_by_hand_gives) {
  write_moving_clip(dir_ / "a.mp4", {}, 1.5, -1);
  const ClipRequest request = request_of(dir_ / "a.mp4", 4);
  const ClipInput clip = read_clip(request);
  const auto frames = frames_of(dir_ / "a.mp4", false);
  Tensor expected({3, 32, 32});
  for (std::size_t k = 0; k < 4; ++k) {
    const video::Frame& frame = frames[static_cast<std::size_t>(clip.sampled[k])];
    transform_rgb(frame.rgb(), centre_crop(64, 48, request.inputs.framing), request.inputs.list.at(0), expected.values<float>());
    EXPECT_EQ(std::memcmp(expected.raw(), clip.inputs.at("rgb").data<float>() + k * 3 * 32 * 32, expected.bytes()), 0);
  }
}

TEST_F(ClipReader, stacks_the_vectors_of_the_window_x_before_y) {
  write_moving_clip(dir_ / "a.mp4", {}, 2, 1);
  const auto frames = frames_of(dir_ / "a.mp4", true);
  for (const MotionWindow window : {MotionWindow::kStarting, MotionWindow::kCentred}) {
    ClipRequest request = request_of(dir_ / "a.mp4", 5, "mv");
    request.inputs.list.at(1).window = window;
    const ClipInput clip = read_clip(request);
    ASSERT_EQ(clip.inputs.at("motion").shape(), (Shape{5, 6, 32, 32}));
    motion::VectorStream stream(true);
    std::vector<Tensor> fields;
    for (const auto& frame : frames) fields.push_back(stream.field(frame));
    Tensor expected({2, 32, 32});
    for (std::size_t k = 0; k < 5; ++k) {
      const auto indices = motion_window(clip.sampled[k], 30, 3, window);
      for (std::size_t l = 0; l < 3; ++l) {
        transform_field(fields[static_cast<std::size_t>(indices[l])], {64, 48, motion::kCellPixels},
                        centre_crop(64, 48, request.inputs.framing), request.inputs.list.at(1), expected.values<float>());
        ASSERT_EQ(std::memcmp(expected.raw(), clip.inputs.at("motion").data<float>() + (k * 3 + l) * 2048, expected.bytes()),
                  0);
      }
    }
  }
}

TEST_F(ClipReader, sees_motion_with_the_right_sign_and_size_and_mirrors_it) {
  write_moving_clip(dir_ / "a.mp4", {.width = 128, .height = 128, .frames = 20}, 2, -1);
  ClipRequest request = request_of(dir_ / "a.mp4", 2, "mv");
  const auto median = [](const Tensor& motion, std::int64_t channel) {
    std::vector<float> values(motion.data<float>() + channel * 1024, motion.data<float>() + (channel + 1) * 1024);
    std::ranges::nth_element(values, values.begin() + 512);
    return static_cast<double>(values[512]);
  };
  // 128 pixels of short side: two pixels count as four, in steps of 127 / 20.
  const double step = 127.0 / 20 / 57;
  const ClipInput clip = read_clip(request);
  EXPECT_NEAR(median(clip.inputs.at("motion"), 0), 4 * step, 0.1);
  EXPECT_NEAR(median(clip.inputs.at("motion"), 1), -2 * step, 0.1);
  request.augment = true;
  bool mirrored = false;
  for (request.stream = 0; request.stream < 12 && !mirrored; ++request.stream) {
    const Tensor motion = read_clip(request).inputs.at("motion");
    mirrored = median(motion, 0) < 0;
    EXPECT_NEAR(std::fabs(median(motion, 0)), 4 * step, 0.1);
    EXPECT_NEAR(median(motion, 1), -2 * step, 0.1);
  }
  EXPECT_TRUE(mirrored);
}

TEST_F(ClipReader, takes_differences_of_neighbouring_frames) {
  write_grey_clip(dir_ / "a.mp4");
  const ClipRequest request = request_of(dir_ / "a.mp4", 3, "rgbdiff");
  const ClipInput clip = read_clip(request);
  const Tensor& motion = clip.inputs.at("motion");
  ASSERT_EQ(motion.shape(), (Shape{3, 9, 32, 32}));
  const auto frames = frames_of(dir_ / "a.mp4", false);
  const CropBox box = centre_crop(64, 48, request.inputs.framing);
  Tensor now({3, 32, 32}), before({3, 32, 32});
  for (std::size_t k = 0; k < 3; ++k) {
    for (std::size_t l = 0; l < 3; ++l) {
      const auto index = static_cast<std::size_t>(clip.sampled[k]) + 1 + l;
      transform_rgb(frames[index].rgb(), box, request.inputs.list.at(0), now.values<float>());
      transform_rgb(frames[index - 1].rgb(), box, request.inputs.list.at(0), before.values<float>());
      for (std::size_t i = 0; i < 3072; ++i) {
        ASSERT_EQ(motion.data<float>()[(k * 3 + l) * 3072 + i], now.data<float>()[i] - before.data<float>()[i]);
      }
    }
  }
}

TEST_F(ClipReader, reads_clips_shorter_than_the_segments_and_single_frames) {
  for (const std::int64_t frames : {1, 2, 3}) {
    for (const std::string motion : {"mv", "rgbdiff"}) {
      const std::string path = dir_ / fmt::format("{}{}.mp4", motion, frames);
      write_grey_clip(path, {.frames = frames});
      const ClipInput clip = read_clip(request_of(path, 5, motion));
      EXPECT_EQ(clip.frames, frames);
      EXPECT_EQ(clip.inputs.at("motion").dim(0), 5);
      EXPECT_TRUE(std::ranges::is_sorted(clip.sampled));
      if (frames == 1) {
        for (const float value : clip.inputs.at("motion").values<float>()) ASSERT_EQ(value, 0.0F);
      }
    }
  }
}

TEST_F(ClipReader, leaves_out_what_is_not_asked_for) {
  write_moving_clip(dir_ / "a.mp4", {}, 1, 1);
  ClipRequest request = request_of(dir_ / "a.mp4", 2, "mv");
  const InputSpec rgb = request.inputs.list.at(0);
  request.inputs.list.erase(request.inputs.list.begin());
  EXPECT_FALSE(read_clip(request).inputs.contains("rgb"));
  request.inputs.list = {rgb};
  EXPECT_FALSE(read_clip(request).inputs.contains("motion"));
}

TEST_F(ClipReader, looks_at_all_views_of_a_protocol_as_at_each_alone) {
  write_moving_clip(dir_ / "a.mp4", {}, 1.5, -1);
  for (const std::string motion : {"mv", "rgbdiff", "flow"}) {
    ClipRequest request = request_of(dir_ / "a.mp4", 3, motion);
    request.inputs.list.at(1).length = 2;
    request.inputs.list.at(1).flow_quality = "realtime";
    request.crops = ViewCrops::kTen;
    request.views = Protocol{0, {0.1, 0.9}, ViewCrops::kTen}.views(request.inputs.framing);
    const ClipInput all = read_clip(request);
    EXPECT_EQ(all.inputs.at("rgb").dim(0), 20 * 3);
    ASSERT_EQ(all.sampled.size(), 60u);
    EXPECT_EQ(all.sampled[0], all.sampled[27]) << "one place, another crop";
    EXPECT_LT(all.sampled[0], all.sampled[30]) << "another place";
    for (const std::size_t view : {0, 3, 9, 10, 19}) {
      ClipRequest one = request;
      one.views = {request.views[view]};
      for (const auto& [name, tensor] : read_clip(one).inputs) {
        const Tensor rows = all.inputs.at(name).rows(static_cast<std::int64_t>(view) * 3, 3);
        EXPECT_EQ(std::memcmp(rows.raw(), tensor.raw(), tensor.bytes()), 0) << motion << " " << name << " of view " << view;
      }
    }
  }
}

TEST_F(ClipReader, refuses_views_that_do_not_exist) {
  write_moving_clip(dir_ / "a.mp4", {}, 1.5, -1);
  ClipRequest request = request_of(dir_ / "a.mp4", 3);
  for (const std::vector<View>& views : {std::vector<View>{}, {{0.5, 1}}, {{0.5, -1}}, {{1.5, 0}}}) {
    request.views = views;
    EXPECT_THROW(read_clip(request), Error);
  }
}

TEST_F(ClipReader, depends_on_seed_and_stream_only) {
  write_moving_clip(dir_ / "a.mp4", {}, 1, 1);
  ClipRequest request = request_of(dir_ / "a.mp4", 3, "mv");
  request.augment = true;
  request.sampling = Sampling::kRandom;
  request.seed = 5;
  const TensorMap first = read_clip(request).inputs;
  request.decoder_threads = 2;
  EXPECT_TRUE(same(first, read_clip(request).inputs));
  request.stream = 1;
  EXPECT_FALSE(same(first, read_clip(request).inputs));
}

TEST_F(ClipReader, crops_all_snippets_of_a_clip_alike) {
  write_moving_clip(dir_ / "still.mp4", {}, 0, 0);
  ClipRequest request = request_of(dir_ / "still.mp4", 3);
  request.augment = true;
  for (request.stream = 0; request.stream < 8; ++request.stream) {
    const Tensor rgb = read_clip(request).inputs.at("rgb");
    double worst = 0;
    for (std::int64_t i = 0; i < 3072; ++i) {
      worst = std::max<double>(worst, std::fabs(rgb.data<float>()[i] - rgb.data<float>()[2 * 3072 + i]));
    }
    EXPECT_LT(worst, 0.25) << "a still picture looks different in another snippet";
  }
}

TEST_F(ClipReader, uses_a_truncated_clip_for_what_decodes_and_says_so) {
  write_moving_clip(dir_ / "whole.avi", {.frames = 32, .codec = "mpeg4"}, 1, 1);
  const auto frames = frames_of(dir_ / "whole.avi", false);
  fs::copy_file(dir_ / "whole.avi", dir_ / "cut.avi");
  fs::resize_file(dir_ / "cut.avi", fs::file_size(dir_ / "whole.avi") * 6 / 10);
  for (int repeat = 0; repeat < 2; ++repeat) {
    const ClipInput clip = read_clip(request_of(dir_ / "cut.avi", 4));
    EXPECT_LT(clip.frames, 28);
    EXPECT_GT(clip.frames, 3);
    EXPECT_LT(clip.sampled.back(), clip.frames);
    ASSERT_FALSE(clip.warnings.empty());
    EXPECT_THAT(clip.warnings.back(), HasSubstr(fmt::format("cut.avi: ends after {} of", clip.frames)));
    const ClipRequest request = request_of("", 1);
    Tensor expected({3, 32, 32});
    for (std::size_t k = 0; k < 3; ++k) {  // the last one may be damaged
      const Tensor rgb = frames[static_cast<std::size_t>(clip.sampled[k])].rgb();
      transform_rgb(rgb, centre_crop(64, 48, request.inputs.framing), request.inputs.list.at(0), expected.values<float>());
      EXPECT_EQ(std::memcmp(expected.raw(), clip.inputs.at("rgb").data<float>() + k * 3072, expected.bytes()), 0);
    }
  }
}

TEST_F(ClipReader, finds_a_truncation_by_the_duration_where_no_count_is_stored) {
  write_moving_clip(dir_ / "whole.mkv", {.frames = 60}, 1, 1);
  EXPECT_THAT(read_clip(request_of(dir_ / "whole.mkv", 4)).warnings, IsEmpty());
  fs::copy_file(dir_ / "whole.mkv", dir_ / "cut.mkv");
  fs::resize_file(dir_ / "cut.mkv", fs::file_size(dir_ / "whole.mkv") * 6 / 10);
  for (int repeat = 0; repeat < 2; ++repeat) {
    const ClipInput clip = read_clip(request_of(dir_ / "cut.mkv", 4));
    EXPECT_LT(clip.frames, 50);
    ASSERT_FALSE(clip.warnings.empty());
    const std::string start = fmt::format("cut.mkv: ends after {} frames at", clip.frames);
    EXPECT_THAT(clip.warnings.back(), ::testing::AllOf(HasSubstr(start), HasSubstr("the container claims 2.40 s")));
  }
}

TEST_F(ClipReader, does_not_take_the_place_holders_of_an_avi_for_lost_frames) {
  video::EncoderOptions options;
  const actio::testing::SyntheticClip texture{.path = "", .dx = 1};
  options.width = texture.width;
  options.height = texture.height;
  options.frames_per_second = 50;
  video::Encoder encoder(dir_ / "a.avi", options);
  for (int t = 0; t < 56; ++t) encoder.write_at(actio::testing::synthetic_frame(texture, t), 2 * t);
  encoder.close();
  ASSERT_GT(video::Decoder(dir_ / "a.avi").info().frames_claimed, 100);
  const ClipInput clip = read_clip(request_of(dir_ / "a.avi", 4));
  EXPECT_EQ(clip.frames, 56);
  EXPECT_THAT(clip.warnings, IsEmpty());
  fs::copy_file(dir_ / "a.avi", dir_ / "cut.avi");
  fs::resize_file(dir_ / "cut.avi", fs::file_size(dir_ / "a.avi") * 6 / 10);
  EXPECT_THAT(read_clip(request_of(dir_ / "cut.avi", 4)).warnings, ::testing::Contains(HasSubstr("cut.avi: ends after")));
}

TEST_F(ClipReader, says_so_when_no_frame_carries_vectors) {
  write_moving_clip(dir_ / "moving.mp4", {.frames = 8}, 1, 1);
  write_grey_clip(dir_ / "one.mp4", {.frames = 1});
  video::EncoderOptions options;
  options.width = 64;
  options.height = 48;
  options.gop = 1;
  video::Encoder encoder(dir_ / "intra.mp4", options);
  for (int t = 0; t < 8; ++t) encoder.write(Tensor({48, 64, 3}, DType::kU8));
  encoder.close();
  for (const std::string name : {"one.mp4", "intra.mp4"}) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      EXPECT_THAT(read_clip(request_of(dir_ / name, 2, "mv")).warnings,
                  ElementsAre((dir_ / name) + ": no frame carries motion vectors; its motion input is zero"));
    }
    EXPECT_THAT(read_clip(request_of(dir_ / name, 2)).warnings, IsEmpty());
    EXPECT_THAT(read_clip(request_of(dir_ / name, 2, "rgbdiff")).warnings, IsEmpty());
  }
  EXPECT_THAT(read_clip(request_of(dir_ / "moving.mp4", 2, "mv")).warnings, IsEmpty());
}

TEST_F(ClipReader, reads_alike_the_first_time_and_later) {
  write_moving_clip(dir_ / "a.avi", {.codec = "mpeg4"}, 1, 2);
  const ClipRequest request = request_of(dir_ / "a.avi", 3, "mv");
  const ClipInput first = read_clip(request), second = read_clip(request);
  EXPECT_TRUE(same(first.inputs, second.inputs));
  EXPECT_EQ(first.sampled, second.sampled);
  EXPECT_EQ(first.frames, second.frames);
}

TEST_F(ClipReader, notices_that_a_file_was_replaced) {
  write_grey_clip(dir_ / "a.mp4", {.frames = 30});
  EXPECT_EQ(read_clip(request_of(dir_ / "a.mp4", 3)).frames, 30);
  write_grey_clip(dir_ / "a.mp4", {.frames = 12});
  EXPECT_EQ(read_clip(request_of(dir_ / "a.mp4", 3)).frames, 12);
}

TEST_F(ClipReader, stacks_the_flow_of_the_window_x_before_y) {
  for (const std::string codec : {"libx264", "mpeg4"}) {
    const std::string path = dir_ / (codec + ".avi");
    write_moving_clip(path, {.width = 70, .height = 48, .frames = 14, .codec = codec}, 2, 1);
    const auto frames = frames_of(path, false);
    for (const MotionWindow window : {MotionWindow::kStarting, MotionWindow::kCentred}) {
      ClipRequest request = request_of(path, 4, "flow");
      request.inputs.list.at(1).window = window;
      request.inputs.list.at(1).flow_quality = "fast";
      request.inputs.list.at(1).flow_short_side = 40;
      const ClipInput clip = read_clip(request);
      ASSERT_EQ(clip.inputs.at("motion").shape(), (Shape{4, 6, 32, 32}));
      EXPECT_EQ(clip.inputs.at("rgb").shape(), (Shape{4, 3, 32, 32}));
      motion::FlowStream stream(motion::flow_settings(request.inputs.list.at(1)));
      std::vector<Tensor> fields;
      for (const auto& frame : frames) fields.push_back(stream.field(frame));
      Tensor expected({2, 32, 32});
      for (std::size_t k = 0; k < 4; ++k) {
        const auto indices = motion_window(clip.sampled[k], 14, 3, window);
        for (std::size_t l = 0; l < 3; ++l) {
          transform_motion_image(fields[static_cast<std::size_t>(indices[l])], 70, 48, centre_crop(70, 48, request.inputs.framing),
                                 request.inputs.list.at(1), expected.values<float>());
          ASSERT_EQ(std::memcmp(expected.raw(), clip.inputs.at("motion").data<float>() + (k * 3 + l) * 2048, expected.bytes()), 0)
              << codec << " " << name_of(window) << " " << k << " " << l;
        }
      }
    }
  }
}

TEST_F(ClipReader, finds_no_flow_in_a_clip_of_one_frame) {
  write_grey_clip(dir_ / "a.mp4", {.frames = 1});
  for (const std::string& cache : {std::string(), dir_ / "cache"}) {
    ClipRequest request = request_of(dir_ / "a.mp4", 2, "flow");
    request.flow_cache = cache;
    const ClipInput clip = read_clip(request);
    const auto motion = clip.inputs.at("motion").values<float>();
    EXPECT_TRUE(std::ranges::all_of(motion, [](float value) { return value == 0; })) << "128 is the mean";
  }
}

TEST_F(ClipReader, refuses_flow_settings_that_make_no_sense) {
  write_grey_clip(dir_ / "a.mp4");
  ClipRequest request = request_of(dir_ / "a.mp4", 2, "flow");
  request.inputs.list.at(1).flow_quality = "papr";
  EXPECT_EQ(error_of([&] { read_clip(request); }).code(), ErrorCode::kUsage);
  request.inputs.list.at(1).flow_quality = "fast";
  request.inputs.list.at(1).flow_short_side = 8;
  EXPECT_EQ(error_of([&] { read_clip(request); }).code(), ErrorCode::kUsage);
}

TEST_F(ClipReader, fails_in_one_line_that_names_the_file) {
  std::ofstream(dir_ / "empty.mp4");
  std::ofstream(dir_ / "text.mp4") << "this is no video\n";
  for (const std::string name : {"missing.mp4", "empty.mp4", "text.mp4"}) {
    const std::string message = error_of([&] { read_clip(request_of(dir_ / name, 3)); }).what();
    EXPECT_THAT(message, HasSubstr(name));
    EXPECT_THAT(message, ::testing::Not(HasSubstr("\n")));
  }
  write_grey_clip(dir_ / "a.mp4");
  EXPECT_THAT(error_of([&] { read_clip(request_of(dir_ / "a.mp4", 3, "flwo")); }).what(),
              HasSubstr("unknown motion 'flwo'; the nearest is 'flow'"));
  EXPECT_EQ(error_of([&] { read_clip(request_of(dir_ / "a.mp4", 3, "flwo")); }).code(), ErrorCode::kUsage);
}

TEST_F(ClipReader, refuses_a_container_without_frames) {
  write_grey_clip(dir_ / "a.avi", {.codec = "mpeg4"});
  const auto size = fs::file_size(dir_ / "a.avi");
  for (std::uintmax_t keep = 0; keep < size; keep += std::max<std::uintmax_t>(1, size / 40)) {
    const std::string path = dir_ / fmt::format("cut{}.avi", keep);
    fs::copy_file(dir_ / "a.avi", path);
    fs::resize_file(path, keep);
    const Error error = error_of([&] { EXPECT_GT(read_clip(request_of(path, 3, "mv")).frames, 0); });
    EXPECT_TRUE(std::string(error.what()) == "no error" || error.code() == ErrorCode::kBadData) << error.what();
  }
}

TEST_F(ClipReader, stops_when_asked_to) {
  write_grey_clip(dir_ / "a.mp4");
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(error_of([&] { read_clip(request_of(dir_ / "a.mp4", 3), source.get_token()); }).code(), ErrorCode::kInterrupted);
}

TEST_F(ClipReader, reads_real_clips_with_both_inputs) {
  const std::string clip_path = actio::testing::shared_file("data/clips/ucf101_v_ApplyEyeMakeup_g01_c01.avi");
  ACTIO_NEEDS_SHARED(clip_path);
  ClipRequest request;
  request.path = clip_path;
  request.segments = 7;
  request.inputs = inputs_of({"rgb", "motion"}, Preprocess{.motion = Motion::kVectors});
  const ClipInput clip = read_clip(request);
  EXPECT_EQ(clip.frames, 164);
  EXPECT_EQ(clip.inputs.at("rgb").shape(), (Shape{7, 3, 224, 224}));
  EXPECT_EQ(clip.inputs.at("motion").shape(), (Shape{7, 10, 224, 224}));
  EXPECT_TRUE(same(clip.inputs, read_clip(request).inputs));
}

TEST_F(ClipReader, reads_no_video_of_larger_frames_than_the_limit_and_has_both_numbers) {
  const std::string path = dir_ / "a.mp4";
  write_grey_clip(path);
  for (const char* motion : {"none", "mv", "flow"}) {
    ClipRequest request = request_of(path, 3, motion);
    if (request.inputs.has(InputKind::kFlow)) request.flow_cache = dir_ / "flow";
    request.limits.max_pixels = 64 * 48;
    EXPECT_EQ(read_clip(request).frames, 30);
    fs::remove_all(dir_ / "flow");
    request.limits.max_pixels = 64 * 48 - 1;
    const Error error = error_of([&] { read_clip(request); });
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    EXPECT_EQ(error.what(), path + ": claims 64 x 48 pixels, 3072 in all; at most 3071 a frame are read (--max-pixels)");
  }
}

TEST_F(ClipReader, leaves_a_video_that_takes_longer_than_the_limit_and_has_both_numbers) {
  const std::string path = dir_ / "a.mkv";
  write_grey_clip(path);
  ClipRequest request = request_of("camera", 3);
  request.limits.max_seconds = 0.3;
  request.source = actio::testing::stalling_source(path, 0.5, "camera");
  const Error error = error_of([&] { read_clip(request); });
  EXPECT_EQ(error.code(), ErrorCode::kBadData);
  EXPECT_THAT(error.what(), ::testing::MatchesRegex("camera: reading it took [0-9.]+ s, at most 0.3 s are given .--max-seconds."));
  request = request_of(path, 3);
  request.limits.max_seconds = 100;
  EXPECT_EQ(read_clip(request).frames, 30);
}

TEST_F(ClipReader, computes_no_flow_for_longer_than_the_limit_and_keeps_no_part_of_it) {
  const std::string path = dir_ / "a.mp4";
  write_moving_clip(path, {.width = 320, .height = 240, .frames = 40}, 1, 1);
  ClipRequest request = request_of(path, 3, "flow");
  request.flow_cache = dir_ / "flow";
  request.limits.max_seconds = 0.1;
  EXPECT_EQ(error_of([&] { read_clip(request); }).code(), ErrorCode::kBadData);
  EXPECT_TRUE(fs::is_empty(dir_ / "flow"));
}

}  // namespace
}  // namespace actio::data
