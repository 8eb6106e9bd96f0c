#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include "cli/program.h"

extern char** environ;

namespace actio::testing {
namespace {

using ::testing::HasSubstr;

// A program that runs beside the test, with what it prints in a file.
class Running {
 public:
  Running(std::vector<std::string> words, const std::string& output) {
    words.insert(words.begin(), ACTIO_PROGRAM);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    EXPECT_EQ(::posix_spawn(&pid_, words[0].c_str(), &actions, nullptr, pointers.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
  }

  void signal(int number) const { ::kill(pid_, number); }

  int exit_code() const {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
};

bool wait_for_text(const std::string& path, const std::string& text) {
  for (int i = 0; i < 1200; ++i) {
    if (file_content(path).find(text) != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

#if ACTIO_HAS_TORCH

TEST(Interrupt, of_training_keeps_what_was_learned_and_exits_with_130) {
  const TempDir dir;
  const std::string data = dir / "clips";
  ASSERT_EQ(run_program("data synth -o " + data + " --clips-per-class 4 --classes stand_up,sit_down").exit_code, 0);
  for (const int number : {SIGINT, SIGTERM}) {
    const std::string model = dir / ("m" + std::to_string(number) + ".actio"), output = dir / "out";
    const Running training({"train", data + "/labels.csv", "-o", model, "--network", "tsn", "--streams", "rgb", "--backbone", "resnet18",
                            "--width", "0.1", "--segments", "2", "--input-size", "32", "--epochs", "100000", "--batch-size", "4"},
                           output);
    EXPECT_TRUE(wait_for_text(output, "epoch   2/")) << file_content(output);
    training.signal(number);
    EXPECT_EQ(training.exit_code(), 130) << file_content(output);
    EXPECT_THAT(file_content(output), HasSubstr("interrupted after"));
    EXPECT_EQ(run_program("describe " + model).exit_code, 0);
  }
}

#endif

TEST(Interrupt, of_rendering_exits_with_130_and_of_a_closed_output_with_1) {
  const TempDir dir;
  const Running rendering({"data", "synth", "-o", dir / "clips", "--clips-per-class", "5000"}, dir / "out");
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  rendering.signal(SIGINT);
  EXPECT_EQ(rendering.exit_code(), 130);
  EXPECT_EQ(std::system(ACTIO_PROGRAM " describe resnet18 >/dev/full 2>/dev/null") >> 8, 1);
  EXPECT_EQ(std::system(ACTIO_PROGRAM " describe resnet18 >&- 2>/dev/null") >> 8, 1);
}

}  // namespace
}  // namespace actio::testing
