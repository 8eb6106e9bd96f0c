#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "support/reencode.h"

namespace actio::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(DataCheck, is_silent_on_clips_made_alike_and_names_what_gives_a_class_away) {
  const TempDir dir;
  const std::string clips = dir / "clips", command = "data check " + clips + "/labels.csv --group group";
  ASSERT_EQ(run_program("data synth -o " + clips +
                        " --classes stand_up,sit_down,push,pull --clips-per-class 12 --max-width 176 --max-height 132")
                .exit_code,
            0);
  const ProgramResult alike = run_program(command);
  EXPECT_EQ(alike.exit_code, 0) << alike.out << alike.err;
  EXPECT_THAT(alike.out,
              HasSubstr("labels.csv: layout csv, 4 classes, 48 clips\n\nclips         48 looked at, 0 cannot be read\n"));
  EXPECT_THAT(alike.out,
              HasSubstr("classes       4: 12 clips a class\ngroups        12, 0 of one class only\ngiveaway      none"));
  EXPECT_THAT(alike.out, HasSubstr("fixed pixels  none that are a class's own\ncopies        none\n"));

  for (const auto& entry : std::filesystem::directory_iterator(clips + "/push")) {
    const std::string path = entry.path().string();
    reencode(path, dir / "new.mp4", {.codec = "mpeg4", .width = 320, .height = 240, .quality = 5, .codec_options = {}});
    std::filesystem::copy_file(dir / "new.mp4", path, std::filesystem::copy_options::overwrite_existing);
  }
  const ProgramResult other = run_program(command + " --workers 1");
  EXPECT_EQ(other.exit_code, 3) << other.out;
  EXPECT_THAT(other.out, HasSubstr("giveaway      FOUND names "));
  EXPECT_THAT(other.out, HasSubstr(": re-encode or distrust\n"));
  EXPECT_THAT(other.out, HasSubstr("codec "));
  const ProgramResult json = run_program(command + " --json");
  EXPECT_EQ(json.exit_code, 3);
  const nlohmann::json report = nlohmann::json::parse(json.out);
  EXPECT_TRUE(report.at("giveaway").at("found"));
  EXPECT_EQ(report.at("items").size(), 48);
  EXPECT_EQ(report.at("copies").size(), 0);
  EXPECT_THAT(run_program("data check " + (dir / "none")).err, Not(HasSubstr("\n\n")));
}

}  // namespace
}  // namespace actio::testing
