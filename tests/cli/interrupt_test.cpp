#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
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
