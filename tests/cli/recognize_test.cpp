#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "cli/tiny_model.h"
#include "support/shared_data.h"
#include "support/synthetic_clip.h"

namespace actio::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Recognize : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new TempDir;
    write_tiny_model(*dir_ / "mv.actio", "if_ttn", "mv");
    write_tiny_model(*dir_ / "rgb.actio", "tsn", "none");
    write_synthetic_clip({.path = *dir_ / "clip.mp4", .frames = 40, .dx = 2});
  }
  static void TearDownTestSuite() { delete dir_; }

  static std::string path(const std::string& name) { return *dir_ / name; }

  static void expect_one_line_and_code(const ProgramResult& result, int code, const std::string& text) {
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(text));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "");
  }

  static TempDir* dir_;
};

TempDir* Recognize::dir_ = nullptr;

TEST_F(Recognize, names_the_action_with_probabilities_that_add_up_to_one) {
  const ProgramResult result = run_program("recognize " + path("mv.actio") + " " + path("clip.mp4") + " --json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("frames"), 40);
  ASSERT_EQ(json.at("top").size(), 3U);
  double sum = 0, last = 1;
  for (const auto& entry : json.at("top")) {
    EXPECT_LE(entry.at("probability").get<double>(), last);
    last = entry.at("probability");
    sum += last;
  }
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST_F(Recognize, prints_as_many_classes_as_asked_for) {
  const ProgramResult result = run_program("recognize " + path("rgb.actio") + " " + path("clip.mp4") + " --top 2");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::ranges::count(result.out, '%'), 2) << result.out;
}

TEST_F(Recognize, gives_the_same_scores_with_the_naive_reference) {
  const std::string arguments = "recognize " + path("mv.actio") + " " + path("clip.mp4") + " --json --backend ";
  const auto fast = nlohmann::json::parse(run_program(arguments + "onednn").out);
  const auto naive = nlohmann::json::parse(run_program(arguments + "reference").out);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(fast["top"][i]["label"], naive["top"][i]["label"]);
    EXPECT_NEAR(fast["top"][i]["score"].get<double>(), naive["top"][i]["score"].get<double>(), 1e-4);
  }
}

TEST_F(Recognize, never_loads_libtorch_or_onnx) {
  const ProgramResult result = run_program("recognize " + path("mv.actio") + " " + path("clip.mp4"),
                                           "ASAN_OPTIONS=verify_asan_link_order=0 ACTIO_MAPS_FILE=" + path("maps") +
                                               " LD_PRELOAD=" ACTIO_MAPS_AT_EXIT);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string maps = file_content(path("maps"));
  EXPECT_THAT(maps, HasSubstr("libdnnl"));
  EXPECT_THAT(maps, HasSubstr("libavcodec"));
  EXPECT_THAT(maps, Not(HasSubstr("libtorch")));
  EXPECT_THAT(maps, Not(HasSubstr("libc10")));
  EXPECT_THAT(maps, Not(HasSubstr("libonnx")));
  EXPECT_THAT(maps, Not(HasSubstr("libprotobuf")));
}

TEST_F(Recognize, says_that_a_file_is_missing) {
  expect_one_line_and_code(run_program("recognize " + path("mv.actio") + " " + path("none.mp4")), 1, "none.mp4: no such file");
  expect_one_line_and_code(run_program("recognize " + path("none.actio") + " " + path("clip.mp4")), 1, "none.actio: no such file");
}

TEST_F(Recognize, says_that_a_text_file_is_no_video) {
  std::ofstream(path("text.mp4")) << "This is not a video, whatever its name says.\n";
  expect_one_line_and_code(run_program("recognize " + path("mv.actio") + " " + path("text.mp4")), 3, "text.mp4: is not a video");
}

TEST_F(Recognize, says_that_a_file_has_only_sound) {
  std::ofstream wav(path("sound.wav"), std::ios::binary);
  const auto u32 = [](std::uint32_t v) { return std::string(reinterpret_cast<const char*>(&v), 4); };
  const auto u16 = [](std::uint16_t v) { return std::string(reinterpret_cast<const char*>(&v), 2); };
  const std::string samples(16000, '\0');
  wav << "RIFF" << u32(36 + 16000) << "WAVEfmt " << u32(16) << u16(1) << u16(1) << u32(8000) << u32(16000) << u16(2) << u16(16)
      << "data" << u32(16000) << samples;
  wav.close();
  expect_one_line_and_code(run_program("recognize " + path("mv.actio") + " " + path("sound.wav")), 3,
                           "sound.wav: has no video stream");
}

TEST_F(Recognize, uses_what_decodes_of_a_truncated_clip_and_warns) {
  // AVI keeps its index behind the frames, so that half of a file is half of a clip.
  write_synthetic_clip({.path = path("whole.avi"), .codec = "mpeg4", .frames = 60, .quality = 3});
  std::filesystem::copy_file(path("whole.avi"), path("half.avi"));
  std::filesystem::resize_file(path("half.avi"), std::filesystem::file_size(path("whole.avi")) / 2);
  const ProgramResult result = run_program("recognize " + path("mv.actio") + " " + path("half.avi") + " --json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("warning: "));
  EXPECT_THAT(result.err, HasSubstr("half.avi"));
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_GT(json.at("frames"), 10);
  EXPECT_LT(json.at("frames"), 50);
}

TEST_F(Recognize, estimates_the_vectors_of_hevc_and_says_so_unless_the_model_takes_the_codecs_alone) {
  write_synthetic_clip({.path = path("hevc.mp4"), .codec = "libx265"});
  const ProgramResult estimated = run_program("recognize " + path("mv.actio") + " " + path("hevc.mp4"));
  EXPECT_EQ(estimated.exit_code, 0);
  EXPECT_THAT(estimated.err, HasSubstr("HEVC carries no motion vectors that can be read: estimated from the pictures"));
  net::Model strict = net::read_model(path("mv.actio"));
  for (InputSpec& input : strict.inputs.list) input.vectors = VectorSource::kCodec;
  net::write_model(path("codec.actio"), strict);
  expect_one_line_and_code(run_program("recognize " + path("codec.actio") + " " + path("hevc.mp4")), 3, "take estimated ones (--vectors any)");
  EXPECT_EQ(run_program("recognize " + path("rgb.actio") + " " + path("hevc.mp4")).exit_code, 0);
}

TEST_F(Recognize, finds_a_flipped_byte_anywhere_in_the_model) {
  const std::string good = file_content(path("rgb.actio"));
  for (const double place : {0.0, 0.001, 0.01, 0.5, 0.999}) {
    std::string bad = good;
    bad[static_cast<std::size_t>(place * static_cast<double>(bad.size() - 1))] ^= 0x10;
    std::ofstream(path("bad.actio"), std::ios::binary) << bad;
    expect_one_line_and_code(run_program("recognize " + path("bad.actio") + " " + path("clip.mp4")), 3, "bad.actio: ");
  }
}

TEST_F(Recognize, goes_on_with_the_other_videos_after_one_that_cannot_be_read) {
  const ProgramResult result =
      run_program("recognize " + path("mv.actio") + " " + path("none.mp4") + " " + path("clip.mp4") + " --top 1");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("none.mp4: no such file"));
  EXPECT_THAT(result.out, HasSubstr("clip.mp4"));
}

TEST_F(Recognize, reads_a_single_picture_with_an_appearance_model) {
  const std::string picture = shared_file("weights/test_images/cat.bmp");
  ACTIO_NEEDS_SHARED(picture);
  const ProgramResult result = run_program("recognize " + path("rgb.actio") + " " + picture);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("(1 frames)"));
}

TEST_F(Recognize, names_what_the_imagenet_test_images_show) {
  const std::string weights = shared_file("weights/mobilenet_v2_imagenet.safetensors");
  const std::string images = shared_file("weights/test_images");
  ACTIO_NEEDS_SHARED(weights);
  ASSERT_EQ(run_program("import " + weights + " -o " + path("imagenet.actio") + " --backbone mobilenet_v2 --padding same " +
                        "--rgb-mean 127.5,127.5,127.5 --rgb-std 127.5,127.5,127.5 --resize stretch --labels " +
                        shared_file("weights/imagenet_labels.txt")).exit_code, 0);
  const std::pair<const char*, const char*> known[] = {
      {"cat.bmp", "Egyptian cat"}, {"parrot.jpg", "macaw"}, {"bird.bmp", "chickadee"}, {"grace_hopper.bmp", "military uniform"}};
  for (const auto& [image, label] : known) {
    const ProgramResult result = run_program("recognize " + path("imagenet.actio") + " " + images + "/" + image + " --json");
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto best = nlohmann::json::parse(result.out).at("top").at(0);
    EXPECT_EQ(best.at("label"), label);
    std::printf("%-17s %s %.2f\n", image, best.at("label").get<std::string>().c_str(), best.at("probability").get<double>());
  }
}

}  // namespace
}  // namespace actio::testing
