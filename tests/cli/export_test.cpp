#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/program.h"
#include "cli/tiny_model.h"

namespace actio::testing {
namespace {

using ::testing::HasSubstr;

class Export : public ::testing::Test {
 protected:
  void SetUp() override { write_tiny_model(model_, "if_ttn", "mv"); }

  ProgramResult run(const std::string& output, const std::string& more = "") {
    return run_program("export " + model_ + " -o " + output + " " + more);
  }

  TempDir dir_;
  std::string model_ = dir_ / "m.actio";
};

TEST_F(Export, writes_a_file_and_tells_its_ports_in_one_line) {
  const ProgramResult result = run(dir_ / "m.onnx");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, (dir_ / "m.onnx") +
                            ": if_ttn(resnet18), opset 10, in: rgb [1, 3, 3, 32, 32], motion [1, 3, 4, 32, 32], "
                            "out: scores [1, 3], probabilities [1, 3]\n");
  EXPECT_EQ(result.err, "");
  EXPECT_GT(std::filesystem::file_size(dir_ / "m.onnx"), 100'000U);
}

TEST_F(Export, takes_a_number_of_clips_or_leaves_it_open) {
  EXPECT_THAT(run(dir_ / "m.onnx", "--clips 4").out, HasSubstr("rgb [4, 3, 3, 32, 32]"));
  EXPECT_THAT(run(dir_ / "m.onnx", "--clips 0").out, HasSubstr("scores [N, 3]"));
  EXPECT_EQ(run(dir_ / "m.onnx", "--clips -1").exit_code, 2);
  EXPECT_EQ(run(dir_ / "m.onnx", "--clips many").exit_code, 2);
}

TEST_F(Export, refuses_another_ending_by_name) {
  for (const char* name : {"m.pb", "m", "m.ONNX.txt"}) {
    const ProgramResult result = run(dir_ / name);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("name ends in .onnx, not in '" + std::filesystem::path(name).extension().string() + "'"));
    EXPECT_FALSE(std::filesystem::exists(dir_ / name));
  }
}

TEST_F(Export, never_replaces_the_model) {
  std::filesystem::rename(model_, dir_ / "m.onnx");
  model_ = dir_ / "m.onnx";
  const std::string before = file_content(model_);
  const ProgramResult result = run(dir_ / "m.onnx");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("is an input, it cannot be the output"));
  EXPECT_EQ(file_content(model_), before);
}

TEST_F(Export, refuses_what_is_no_model_and_a_place_that_cannot_be_written) {
  EXPECT_EQ(run(dir_ / "none/m.onnx").exit_code, 1);
  std::ofstream(model_, std::ios::app) << "x";
  const ProgramResult damaged = run(dir_ / "m.onnx");
  EXPECT_EQ(damaged.exit_code, 3);
  EXPECT_THAT(damaged.err, HasSubstr("m.actio"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "m.onnx"));
  model_ = dir_ / "none.actio";
  EXPECT_EQ(run(dir_ / "m.onnx").exit_code, 1);
}

}  // namespace
}  // namespace actio::testing
