// Two processes that train one network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/running_program.h"
#include "cli/train_clips.h"
#include "core/error.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::run_program;
using testing::RunningProgram;

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool found = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  return found ? ntohs(address.sin_port) : 0;
}

class TrainRanks : public testing::TrainClips {
 protected:
  static void SetUpTestSuite() { render(8, 0.3); }
  static std::string arguments(const std::string& name, const std::string& options) {
    return "train " + path(list_) + " -o " + path(name) +
           " --group part --fold test --network if_ttn --backbone resnet18 --width 0.125 --input-size 32 --short-side 36 --segments 2 "
           "--threads 1 --workers 1 --sync-bn --dropout-rgb 0 --dropout-motion 0 --dropout-ttn 0 " + options;
  }
  static ProgramResult train(const std::string& name, const std::string& options, const std::string& environment = "") {
    return run_program(arguments(name, options), environment);
  }
  static std::string variables() { return fmt::format("WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT={} ", free_port()); }
  static std::pair<ProgramResult, ProgramResult> train_two(const std::string& name, const std::string& options,
                                                           const std::string& options_of_one = "") {
    const std::string both = variables();
    RunningProgram other(arguments(name, options + options_of_one), "RANK=1 " + both);
    ProgramResult first = train(name, options, "RANK=0 " + both);
    return {std::move(first), other.wait()};
  }
  // The same, and rank 1 gets a signal as soon as there is a state to go on from.
  static std::pair<ProgramResult, ProgramResult> train_two_and_signal(const std::string& name, const std::string& options, int signal) {
    const std::string both = variables();
    RunningProgram first(arguments(name, options), "RANK=0 " + both), second(arguments(name, options), "RANK=1 " + both);
    EXPECT_TRUE(second.wait_until([&] { return fs::exists(path(name + ".state")); })) << second.err();
    second.signal(signal);
    return {first.wait(), second.wait()};
  }
  static std::vector<nlohmann::json> epochs(const std::string& log) {
    std::vector<nlohmann::json> lines;
    std::ifstream stream(path(log));
    for (std::string line; std::getline(stream, line);) {
      const auto json = nlohmann::json::parse(line);
      if (json.contains("epoch")) lines.push_back(json);
    }
    return lines;
  }
  static void expect_the_losses_of_one_process(const std::string& options) {
    SCOPED_TRACE(options);
    fs::remove(path("one.log"));
    fs::remove(path("two.log"));
    ASSERT_EQ(train("one.actio", "--batch-size 4 --epochs 3 --evaluate-every 1 --log " + path("one.log") + options).exit_code, 0);
    const auto [first, second] = train_two("two.actio", "--batch-size 2 --epochs 3 --evaluate-every 1 --log " + path("two.log") + options);
    ASSERT_EQ(first.exit_code, 0) << first.err;
    ASSERT_EQ(second.exit_code, 0) << second.err;
    EXPECT_EQ(second.out, "");
    const auto one = epochs("one.log"), two = epochs("two.log");
    ASSERT_EQ(one.size(), 3U);
    ASSERT_EQ(two.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(one[i].at("loss").get<double>(), two[i].at("loss").get<double>(), i == 0 ? 1e-5 : 2e-3) << "epoch " << i;
      EXPECT_NEAR(one[i].at("train_top1").get<double>(), two[i].at("train_top1").get<double>(), i == 0 ? 1e-9 : 0.1);
    }
  }
  // The clips without every second one of the class that stands up.
  static void write_unequal_list() {
    std::ifstream whole(path("data/labels.csv"));
    std::ofstream list(path("data/unequal.csv"));
    int of_class = 0;
    for (std::string line; std::getline(whole, line);) {
      if (!line.starts_with("stand_up/") || ++of_class % 2 == 0) list << line << "\n";
    }
  }
  static inline std::string list_ = "data/labels.csv";
};

TEST_F(TrainRanks, lose_what_one_process_with_twice_the_batch_loses) {
  for (const std::string options : {"", " --freeze rgb,motion --cache-views 1"}) expect_the_losses_of_one_process(options);
}

TEST_F(TrainRanks, weigh_classes_by_what_all_of_them_read) {
  write_unequal_list();
  list_ = "data/unequal.csv";
  expect_the_losses_of_one_process(" --balance weights");
  list_ = "data/labels.csv";
}

TEST_F(TrainRanks, stop_when_one_is_killed_and_go_on_from_the_state) {
  const std::string options = "--batch-size 2 --epochs 20 --save-minutes 0.0001 --resume";
  const auto [whole, quiet] = train_two("whole.actio", options);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const auto [first, second] = train_two_and_signal("killed.actio", "--batch-size 2 --epochs 5000 --save-minutes 0.0001", SIGKILL);
  EXPECT_EQ(second.exit_code, 137);
  EXPECT_EQ(first.exit_code, 1);
  EXPECT_THAT(first.err, AllOf(HasSubstr("rank 1 of 2"), HasSubstr("is gone")));
  EXPECT_TRUE(fs::exists(path("killed.actio.state")));
  // A batch is that of each rank, so that fewer ranks are another training.
  const ProgramResult alone = train("killed.actio", "--batch-size 2 --epochs 5000 --save-minutes 0.0001 --resume");
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.err, HasSubstr("ranks: 2 there, 1 here"));
  const auto [stopped, also] = train_two_and_signal("again.actio", options, SIGINT);
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;  // one rank was told to stop: both do, after the same step
  EXPECT_EQ(also.exit_code, 130) << also.err;
  const auto [rest, ignored] = train_two("again.actio", options);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_EQ(testing::file_content(path("again.actio")), testing::file_content(path("whole.actio")));
}

TEST_F(TrainRanks, stop_waiting_for_the_others_when_they_are_interrupted) {
  const std::string both = variables();
  for (const std::string rank : {"0", "1"}) {
    SCOPED_TRACE(rank);
    RunningProgram waiting(arguments("x.actio", "--epochs 1"), "RANK=" + rank + " " + both);
    EXPECT_TRUE(waiting.wait_until_it_prints("rank " + rank + " of 2 waits for the others at 127.0.0.1:")) << waiting.err();
    waiting.signal(SIGINT);
    const ProgramResult result = waiting.wait();
    EXPECT_EQ(result.exit_code, 130);  // not 1, as of those that have waited in vain
    EXPECT_THAT(result.err, HasSubstr("interrupted before all ranks had come to 127.0.0.1:"));
  }
}

TEST_F(TrainRanks, do_not_begin_with_different_settings) {
  const auto [first, second] = train_two("x.actio", "--batch-size 2 --epochs 1", " --learning-rate 0.5");
  EXPECT_NE(first.exit_code, 0);
  EXPECT_NE(second.exit_code, 0);
  EXPECT_THAT(first.err + second.err, HasSubstr("configuration differs"));
  const ProgramResult alone = train("x.actio", "--epochs 1", "RANK=3 WORLD_SIZE=2");
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.err, HasSubstr("RANK=3"));
}

}  // namespace
}  // namespace actio::cli
