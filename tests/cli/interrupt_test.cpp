#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/running_program.h"

namespace actio::testing {
namespace {

using ::testing::HasSubstr;

#if ACTIO_HAS_TORCH

TEST(Interrupt, of_training_keeps_what_was_learned_and_exits_with_130) {
  const TempDir dir;
  const std::string data = dir / "clips";
  ASSERT_EQ(run_program("data synth -o " + data + " --clips-per-class 4 --classes stand_up,sit_down").exit_code, 0);
  for (const int number : {SIGINT, SIGTERM}) {
    const std::string model = dir / ("m" + std::to_string(number) + ".actio");
    RunningProgram training("train " + data + "/labels.csv -o " + model +
                            " --network tsn --streams rgb --backbone resnet18 --width 0.1 --segments 2 --input-size 32 --epochs 100000 "
                            "--batch-size 4");
    EXPECT_TRUE(training.wait_until_it_prints("epoch   2/"));
    training.signal(number);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    training.signal(number);  // as from a launcher that passes it on beside the terminal: still one request
    const ProgramResult result = training.wait();
    EXPECT_EQ(result.exit_code, 130) << result.err;
    EXPECT_THAT(result.out + result.err, HasSubstr("interrupted after"));
    EXPECT_EQ(run_program("describe " + model).exit_code, 0);
  }
}

#endif

// In the trainer's place: ends at the second request only.
void write_trainer_that_needs_two_requests(const std::string& path, const std::string& requests) {
  std::ofstream(path) << "#!/bin/sh\nn=0\ntrap 'n=$((n + 1)); echo $n >>" << requests << "; [ $n -lt 2 ] || exit 130' TERM\n"
                      << "echo started\nwhile :; do sleep 0.02; done\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

// Whether a second Ctrl-C reaches the trainer that `command` has started: else it would go on alone.
void expect_that_it_ends_its_trainer(const TempDir& dir, const std::string& command) {
  std::filesystem::copy_file(ACTIO_PROGRAM, dir / "actio");
  const std::string requests = dir / "requests";
  write_trainer_that_needs_two_requests(dir / "actio-train", requests);
  RunningProgram program(command, "", dir / "actio");
  EXPECT_TRUE(program.wait_until_it_prints("started"));
  program.signal(SIGINT);
  EXPECT_TRUE(program.wait_until([&] { return std::filesystem::exists(requests); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // within a second it would be the same request
  program.signal(SIGINT);
  EXPECT_EQ(program.wait().exit_code, 130);
  for (int i = 0; i < 2000 && file_content(requests) != "1\n2\n"; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(file_content(requests), "1\n2\n");
}

TEST(Interrupt, given_twice_ends_the_trainer_of_reproduce_as_well) {
  const TempDir dir;
  ASSERT_EQ(run_program("data synth -o " + (dir / "clips") + " --clips-per-class 2 --classes stand_up,sit_down").exit_code, 0);
  expect_that_it_ends_its_trainer(
      dir, "reproduce stfn-1 --data " + (dir / "clips") + "/labels.csv --group part --folds test -o " + (dir / "out"));
}

TEST(Interrupt, given_twice_ends_the_trainer_of_demo_as_well) {
  const TempDir dir;
  expect_that_it_ends_its_trainer(dir, "demo --clips-per-class 4 --epochs 1 -o " + (dir / "demo"));
}

TEST(Interrupt, of_rendering_exits_with_130_and_of_a_closed_output_with_1) {
  const TempDir dir;
  RunningProgram rendering("data synth -o " + (dir / "clips") + " --clips-per-class 5000");
  EXPECT_TRUE(rendering.wait_until([&] { return std::filesystem::exists(dir / "clips"); }));
  rendering.signal(SIGINT);
  EXPECT_EQ(rendering.wait().exit_code, 130);
  EXPECT_EQ(std::system(ACTIO_PROGRAM " describe resnet18 >/dev/full 2>/dev/null") >> 8, 1);
  EXPECT_EQ(std::system(ACTIO_PROGRAM " describe resnet18 >&- 2>/dev/null") >> 8, 1);
}

}  // namespace
}  // namespace actio::testing
