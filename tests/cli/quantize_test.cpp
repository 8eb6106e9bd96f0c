// actio quantize, and what --precision and describe make of its model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "recognize/tiny.h"

namespace actio::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Quantize : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_model(dir_ / "m.actio", "if_ttn", "mv");
    std::ofstream list(dir_ / "labels.csv");
    list << "path,label\n";
    for (const std::string& clip : write_clips(dir_, 6)) list << clip << ",clap\n";
  }
  std::string command(const std::string& more = "") const {
    return "quantize " + (dir_ / "m.actio") + " --data " + (dir_ / "labels.csv") + " -o " + (dir_ / "q.actio") + " " + more;
  }
  TempDir dir_;
};

TEST_F(Quantize, prints_a_table_and_writes_a_model_that_recognises_in_8_bits) {
  const ProgramResult result = run_program(command());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("from 3 clips"), HasSubstr("f32"), HasSubstr("int8"), HasSubstr("wrote ")));
  EXPECT_EQ(run_program("recognize " + (dir_ / "q.actio") + " " + (dir_ / "clip0.mp4") + " --precision int8").exit_code, 0);
  const ProgramResult described = run_program("describe " + (dir_ / "q.actio") + " --precision int8 --json");
  ASSERT_EQ(described.exit_code, 0) << described.err;
  const json ops = json::parse(described.out).at("ops");
  int convolutions = 0;
  for (const json& op : ops) {
    if (op.at("op") != "conv2d") continue;
    ++convolutions;
    EXPECT_EQ(op.at("precision"), "int8") << op;
  }
  EXPECT_GT(convolutions, 20);
  EXPECT_THAT(run_program("describe " + (dir_ / "q.actio") + " --precision int8").out, AllOf(HasSubstr("linear: a classifier"), HasSubstr("int8")));
}

TEST_F(Quantize, prints_json) {
  const ProgramResult result = run_program(command("--json --clips 1"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(json::parse(result.out).at("measured_on"), 1);
}

TEST_F(Quantize, bench_times_its_model_in_several_precisions_on_the_inputs_that_are_given) {
  ASSERT_EQ(run_program(command()).exit_code, 0);
  const std::string model = dir_ / "q.actio";
  const ProgramResult result = run_program("bench " + model + " --precision f32 --vs int8,bf16 --seconds 0.01 --threads 1 --json --outputs " + (dir_ / "out.safetensors"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json settings = json::parse(result.out).at("settings");
  ASSERT_EQ(settings.size(), 3U);
  EXPECT_EQ(settings[1].at("precision"), "int8");
  EXPECT_GT(settings[1].at("clip_seconds").at("median"), 0.0);
  EXPECT_GT(file_content(dir_ / "out.safetensors").size(), 12U);
  EXPECT_EQ(run_program("bench " + model + " --vs int9").exit_code, 2);
  EXPECT_EQ(run_program("bench " + (dir_ / "m.actio") + " --precision int8 --seconds 0").exit_code, 0) << "random inputs have ranges of their own";
  EXPECT_EQ(run_program("bench " + model + " --inputs " + (dir_ / "labels.csv")).exit_code, 3);
}

TEST_F(Quantize, refuses_int8_of_a_model_that_was_not_measured_in_one_line) {
  for (const char* begin : {"recognize ", "describe "}) {
    const bool clip = std::string(begin) == "recognize ";
    const ProgramResult result = run_program(begin + (dir_ / "m.actio") + (clip ? " " + (dir_ / "clip0.mp4") : "") + " --precision int8");
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr("m.actio"), HasSubstr("was not measured; 'actio quantize' does")));
  }
  EXPECT_EQ(run_program("describe resnet18 --precision int8").exit_code, 2);
  EXPECT_EQ(run_program("describe " + (dir_ / "m.actio") + " --precision f32 --segments 5").exit_code, 2);
  EXPECT_EQ(run_program(command("--clips 0")).exit_code, 2);
  EXPECT_THAT(run_program(command("--precision int8")).err, HasSubstr("quantize compares every precision"));
}

}  // namespace
}  // namespace actio::testing
