#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/program.h"
#include "cli/tiny_model.h"
#include "core/json.h"
#include "recognize/tiny.h"

namespace actio::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::run_program;

class ExplainCam : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_tiny_model(model_, "if_ttn", "mv");
    clip_ = testing::write_clips(dir_, 1).front();
  }
  ProgramResult cam(const std::string& more) const { return run_program("explain cam " + model_ + " " + clip_ + " " + more); }
  testing::TempDir dir_;
  std::string model_ = dir_ / "m.actio", clip_;
};

TEST_F(ExplainCam, writes_a_picture_and_says_what_its_columns_are) {
  const ProgramResult result = cam("--class wave -o " + (dir_ / "cam.png"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, AllOf(HasSubstr("'wave'"), HasSubstr("from 2 pairs of 1 x 1 cells"),
                                HasSubstr("a line for each snippet; rgb, motion, map of rgb, map of motion, map of ttn")));
  EXPECT_EQ(run_program("doctor " + (dir_ / "cam.png")).exit_code, 0);
}

TEST_F(ExplainCam, prints_maps_as_json_and_then_writes_no_picture_by_itself) {
  const ProgramResult result = cam("--json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out).at("heads").size(), 3U);
  EXPECT_FALSE(std::filesystem::exists("clip0.cam.png"));
}

TEST_F(ExplainCam, says_in_one_line_what_is_wrong_and_leaves_nothing) {
  const std::string picture = dir_ / "bad.png";
  EXPECT_EQ(cam("--class jumb -o " + picture).exit_code, 2);
  EXPECT_THAT(cam("--class jumb -o " + picture).err, HasSubstr("unknown class 'jumb'; the nearest is 'jump'"));
  EXPECT_EQ(cam("-o " + clip_).exit_code, 2) << "the video would be lost";
  EXPECT_EQ(cam("-o " + (dir_ / "no/such/folder.png")).exit_code, 1);
  std::ofstream(dir_ / "broken.mp4") << "no video";
  const ProgramResult broken = run_program("explain cam " + model_ + " " + (dir_ / "broken.mp4") + " -o " + picture);
  EXPECT_EQ(broken.exit_code, 3);
  EXPECT_THAT(broken.err, HasSubstr("broken.mp4"));
  testing::write_tiny_model(dir_ / "trn.actio", "trn", "none");
  const ProgramResult none = run_program("explain cam " + (dir_ / "trn.actio") + " " + clip_ + " -o " + picture);
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("no head has an exact map"));
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(picture).parent_path())) EXPECT_NE(entry.path().extension(), ".png") << entry;
}

}  // namespace
}  // namespace actio::cli
