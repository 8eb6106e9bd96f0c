#include "data/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "data/check_report.h"
#include "data/near_duplicates.h"
#include "data/synthetic.h"
#include "support/reencode.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::reencode;
using testing::TempDir;

std::string rendered(const std::string& out, std::int64_t clips,
                     const std::vector<std::string>& classes = {"stand_up", "sit_down"}) {
  SynthesisOptions options;
  options.out = out;
  options.classes = classes;
  options.clips_per_class = clips;
  options.min_frames = 24;
  options.max_frames = 40;
  return synthesise(options).labels_csv;
}

TEST(LookAt, knows_how_a_file_is_packed_and_encoded_without_decoding_all_of_it) {
  const TempDir dir;
  testing::write_synthetic_clip({.path = dir / "a.mp4", .frames = 50, .width = 128, .height = 96, .gop = 20});
  const FileFacts facts = look_at(dir / "a.mp4").facts;
  EXPECT_THAT(facts.container, HasSubstr("mp4"));
  EXPECT_EQ(facts.codec, "h264");
  EXPECT_EQ(facts.profile, "High");
  EXPECT_EQ(facts.pixel_format, "yuv420p");
  EXPECT_EQ(facts.width, 128);
  EXPECT_EQ(facts.height, 96);
  EXPECT_EQ(facts.frames, 50);
  EXPECT_EQ(facts.key_distance, 20);
  EXPECT_NEAR(facts.seconds, 2, 1e-6);
  EXPECT_EQ(facts.frames_per_second, 25);
  EXPECT_EQ(facts.bytes, static_cast<std::int64_t>(fs::file_size(dir / "a.mp4")));
  EXPECT_NEAR(facts.bits_per_second, 4.0 * static_cast<double>(facts.bytes), 1);
  EXPECT_FALSE(facts.audio);
}

TEST(LookAt, is_the_same_where_no_index_tells_the_frames) {
  const TempDir dir;
  for (const int frames : {80, 250}) {  // of the longer one not all pictures are kept
    for (const char* name : {"a.ts", "a.mp4"})
      testing::write_synthetic_clip({.path = dir / name, .frames = frames, .dx = 1, .gop = 30});
    const ClipLook whole = look_at(dir / "a.ts"), sparse = look_at(dir / "a.mp4");
    EXPECT_EQ(whole.facts.frames, frames);
    EXPECT_EQ(whole.facts.key_distance, 30);
    EXPECT_NEAR(whole.facts.seconds, sparse.facts.seconds, 1e-3);
    if (frames == 80) {
      EXPECT_LT(difference(whole.glimpse, sparse.glimpse), 0.1);
    }
  }
}

TEST(LookAt, measures_black_borders) {
  const TempDir dir;
  video::EncoderOptions options{.width = 128, .height = 96, .codec_options = {}};
  video::Encoder encoder(dir / "bars.mp4", options);
  for (int i = 0; i < 12; ++i) {
    Tensor rgb = testing::synthetic_frame({.path = "", .width = 128, .height = 96, .dx = 2}, i);
    auto* at = rgb.data<std::uint8_t>();
    std::fill(at, at + std::int64_t{16} * 128 * 3, std::uint8_t{0});
    std::fill(at + std::int64_t{72} * 128 * 3, at + std::int64_t{96} * 128 * 3, std::uint8_t{0});
    encoder.write(rgb);
  }
  encoder.close();
  const auto borders = look_at(dir / "bars.mp4").facts.borders;
  EXPECT_EQ(borders[0], 0);
  EXPECT_EQ(borders[1], 0);
  EXPECT_NEAR(borders[2], 16.0 / 96, 0.04);
  EXPECT_NEAR(borders[3], 24.0 / 96, 0.04);
}

TEST(NearDuplicates, are_copies_encoded_or_scaled_anew_and_no_other_clips_of_the_same_scene) {
  const TempDir dir;
  rendered(dir / "clips", 8, {"pick_up", "put_down"});
  std::vector<Glimpse> forward, backward;
  for (int i = 1; i <= 8; ++i) {
    const std::string path = fmt::format("{}/pick_up/pick_up_g{:03}.mp4", dir / "clips", i);
    forward.push_back(look_at(path).glimpse);
    backward.push_back(look_at(fmt::format("{}/put_down/put_down_g{:03}.mp4", dir / "clips", i)).glimpse);
    const video::EncoderOptions copies[] = {
        {.codec = "mpeg4", .gop = 200, .quality = 8, .codec_options = {}},
        {.codec = "libx264", .quality = 36, .codec_options = {}},
        {.width = 112, .height = 84, .quality = 28, .codec_options = {}},
        {.codec = "mpeg2video", .width = 320, .height = 240, .quality = 4, .codec_options = {}}};
    for (std::size_t k = 0; k < std::size(copies); ++k) {
      const std::string copy = fmt::format("{}/copy{}.{}", dir.path().string(), k, k % 2 == 0 ? "mp4" : "avi");
      reencode(path, copy, copies[k]);
      const Glimpse glimpse = look_at(copy).glimpse;
      EXPECT_TRUE(are_alike(forward.back(), glimpse)) << i << " " << k << " " << difference(forward.back(), glimpse);
    }
  }
  for (std::size_t i = 0; i < forward.size(); ++i) {
    EXPECT_FALSE(are_alike(forward[i], backward[i])) << i;
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(are_alike(forward[i], forward[j])) << i << " " << j;
  }
}

// Two classes of rendered clips in folders, some to train and the others to test on.
struct Folders {
  explicit Folders(std::int64_t clips = 6) {
    rendered(dir / "clips", clips);
    for (const std::string label : {"stand_up", "sit_down"}) {
      for (const char* part : {"train", "test"}) fs::create_directories(dir / (fmt::format("data/{}/{}", part, label)));
      for (std::int64_t i = 1; i <= clips; ++i) fs::copy_file(clip(label, i), in(i % 3 == 0 ? "test" : "train", label, i));
    }
  }
  std::string clip(const std::string& label, std::int64_t i) const {
    return fmt::format("{}/{}/{}_g{:03}.mp4", dir / "clips", label, label, i);
  }
  std::string in(const std::string& part, const std::string& label, std::int64_t i) const {
    return fmt::format("{}/{}/{}/{}.mp4", dir / "data", part, label, i);
  }
  CheckReport check() const { return check_dataset(load_dataset(dir / "data"), {}, {.permutations = 200}); }
  std::string text() const { return check_text(check(), load_dataset(dir / "data")); }
  TempDir dir;
};

TEST(Check, finds_nothing_in_clips_that_are_made_alike) {
  const Folders folders;
  const CheckReport report = folders.check();
  EXPECT_FALSE(report.found()) << folders.text();
  EXPECT_EQ(report.looked_at(), 12);
  EXPECT_EQ(report.classes[0].clips, 6);
  EXPECT_FALSE(report.groups.any);
  EXPECT_THAT(folders.text(), HasSubstr("copies        none\n"));
}

TEST(Check, finds_a_copy_encoded_anew_in_another_part_and_the_same_bytes_in_another_class) {
  const Folders folders;
  reencode(folders.clip("stand_up", 1), folders.in("test", "stand_up", 77),
           {.codec = "mpeg4", .width = 128, .height = 96, .quality = 6, .codec_options = {}});
  fs::copy_file(folders.clip("stand_up", 2), folders.in("train", "sit_down", 78));
  const CheckReport report = folders.check();
  EXPECT_TRUE(report.found());
  EXPECT_EQ(report.copies_of(CopyKind::kParts), 1);
  EXPECT_EQ(report.copies_of(CopyKind::kClasses), 1);
  EXPECT_EQ(report.copies_of(CopyKind::kGroups), 0);
  EXPECT_FALSE(report.copies[0].same_bytes);
  EXPECT_TRUE(report.copies[1].same_bytes);
  const std::string text = folders.text();
  EXPECT_THAT(text, HasSubstr("copies        FOUND 2 clips show the same as another one and are in two parts\n"));
  EXPECT_THAT(text, HasSubstr("test/stand_up/77.mp4 = "));
  EXPECT_THAT(text, HasSubstr("(encoded anew)"));
  EXPECT_THAT(text, HasSubstr("(the same bytes)"));
}

TEST(Check, counts_what_cannot_be_read_and_names_it) {
  const Folders folders;
  std::ofstream(folders.in("train", "sit_down", 79)) << "no video";
  const CheckReport report = folders.check();
  EXPECT_TRUE(report.found());
  EXPECT_EQ(report.unreadable(), 1);
  EXPECT_EQ(report.looked_at(), 12);
  EXPECT_THAT(folders.text(), HasSubstr("train/sit_down/79.mp4: is not a video"));
}

TEST(Check, counts_classes_and_groups) {
  const Folders folders(4);
  std::ofstream table(folders.dir / "table.csv");
  table << "path,label,who\n";
  for (int i = 1; i <= 4; ++i) table << folders.clip("stand_up", i) << ",stand_up,a" << i / 2 << "\n";
  table << folders.clip("sit_down", 1) << ",sit_down,a1\n";
  table.close();
  DatasetOptions options;
  options.group = "who";
  const Dataset dataset = load_dataset(folders.dir / "table.csv", options);
  const CheckReport report = check_dataset(dataset, options, {.permutations = 200});
  EXPECT_TRUE(report.groups.any);
  EXPECT_EQ(report.groups.groups, 3);
  EXPECT_EQ(report.groups.of_one_class, 2);
  const std::string text = check_text(report, dataset);
  EXPECT_THAT(text, HasSubstr("classes       2: 1 to 4 clips a class\n"));
  EXPECT_THAT(text, HasSubstr("the largest has 4.0 times the clips of the smallest"));
  EXPECT_THAT(text, HasSubstr("fewer than 3 clips: 'sit_down'"));
  EXPECT_THAT(text, HasSubstr("groups        3, 2 of one class only\n"));
}

TEST(Check, ends_early_on_a_stop) {
  const Folders folders(3);
  std::stop_source stop;
  stop.request_stop();
  const CheckReport report = check_dataset(load_dataset(folders.dir / "data"), {}, {}, {}, stop.get_token());
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.looked_at(), 0);
  EXPECT_EQ(report.unreadable(), 0);
}

}  // namespace
}  // namespace actio::data
