#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/program.h"
#include "cli/tiny_model.h"
#include "support/synthetic_clip.h"
#include "video/decoder.h"

extern char** environ;

namespace actio::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kQuick = " --flow-quality fast --flow-short-side 48";

class FlowCommand : public ::testing::Test {
 protected:
  std::string clip(const std::string& name, int frames = 10, double dx = 1) {
    fs::create_directories(fs::path(dir_ / name).parent_path());
    write_synthetic_clip({.path = dir_ / name, .frames = frames, .width = 96, .height = 64, .dx = dx});
    return dir_ / name;
  }
  ProgramResult flow(const std::string& arguments, const std::string& environment = "") const {
    return run_program("flow " + arguments + kQuick + " -o " + (dir_ / "cache"), environment);
  }
  std::vector<std::string> cached() const {
    std::vector<std::string> names;
    if (!fs::exists(dir_ / "cache")) return names;
    for (const auto& entry : fs::directory_iterator(dir_ / "cache")) names.push_back(entry.path().string());
    std::ranges::sort(names);
    return names;
  }
  static nlohmann::json json_of(const ProgramResult& result) {
    EXPECT_TRUE(nlohmann::json::accept(result.out)) << result.out << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }
  static void expect_one_line(const ProgramResult& result, int code, const std::string& text) {
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(text));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
  TempDir dir_;
};

TEST_F(FlowCommand, fills_a_folder_and_skips_what_is_there_the_next_time) {
  clip("clips/a.mp4");
  clip("clips/deep/b.mp4", 7);
  const auto first = json_of(flow((dir_ / "clips") + " --json"));
  EXPECT_EQ(first.at("computed"), 2);
  EXPECT_EQ(first.at("fields"), 17);
  EXPECT_GT(first.at("bytes_per_field").get<double>(), 10);
  EXPECT_EQ(cached().size(), 2U);
  const ProgramResult second = flow(dir_ / "clips");
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("were there         2"));
}

TEST_F(FlowCommand, reports_a_broken_video_once_does_the_others_and_exits_with_3) {
  clip("clips/a.mp4");
  std::ofstream(dir_ / "clips/broken.avi") << "this is no video";
  const ProgramResult result = flow((dir_ / "clips") + " --json");
  expect_one_line(result, 3, "broken.avi");
  EXPECT_EQ(json_of(result).at("computed"), 1);
  EXPECT_EQ(json_of(result).at("failed"), 1);
  EXPECT_EQ(cached().size(), 1U);
}

TEST_F(FlowCommand, refuses_what_makes_no_sense_in_one_line) {
  const std::string a = clip("clips/a.mp4");
  expect_one_line(flow(dir_ / "none.mp4"), 1, "none.mp4: no such file");
  expect_one_line(run_program("flow " + a), 2, "--output");
  expect_one_line(run_program("flow " + a + " -o x --flow-qality fast"), 2, "the nearest is '--flow-quality'");
  expect_one_line(run_program("flow " + a + " -o " + (dir_ / "c") + " --flow-short-side 3"), 2, "flow_short_side");
  expect_one_line(run_program("flow " + a + " -o " + (dir_ / "none/cache")), 1, "none/cache: cannot be made");
  expect_one_line(run_program("flow " + a + " -o " + a), 1, "is not a folder");
  clip("clips/b.mp4");
  expect_one_line(flow((dir_ / "clips") + " --preview " + (dir_ / "p.mp4")), 2, "--preview shows one video");
  EXPECT_THAT(cached(), IsEmpty());
}

TEST_F(FlowCommand, refuses_flow_of_other_options_unless_it_may_replace_it) {
  const std::string a = clip("a.mp4");
  ASSERT_EQ(flow(a).exit_code, 0);
  expect_one_line(flow(a + " --motion-bound 10"), 2, "motion_bound 20.0, but 10.0 is asked for");
  EXPECT_EQ(flow(a + " --motion-bound 10 --replace").exit_code, 0);
  EXPECT_EQ(json_of(flow(a + " --motion-bound 10 --json")).at("skipped"), 1);
}

TEST_F(FlowCommand, says_that_the_disk_is_full_and_keeps_what_was_finished) {
  const std::string a = clip("clips/a.mp4", 4), b = clip("clips/b.mp4", 60, 3);
  ASSERT_EQ(flow(a).exit_code, 0);
  ASSERT_EQ(cached().size(), 1U);
  // Blocks of 1024 bytes, or of 512 in some shells.
  const ProgramResult result = flow(dir_ / "clips", "ulimit -f 8;");
  expect_one_line(result, 1, "cannot be written: File too large");
  EXPECT_EQ(cached().size(), 1U);
  EXPECT_EQ(json_of(flow((dir_ / "clips") + " --json")).at("skipped"), 1);
}

TEST_F(FlowCommand, leaves_no_part_of_a_file_when_interrupted_and_goes_on_later) {
  clip("clips/a.mp4", 6);
  clip("clips/b.mp4", 400, 2);
  std::vector<std::string> words = {ACTIO_PROGRAM, "flow", dir_ / "clips", "-o", dir_ / "cache", "--flow-quality", "paper",
                                    "--flow-short-side", "96", "--threads", "1"};
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  const std::string output = dir_ / "out";
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 2, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  ASSERT_EQ(::posix_spawn(&pid, words[0].c_str(), &actions, nullptr, pointers.data(), environ), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  const auto second_has_begun = [&] { return cached().size() == 2; };
  for (int i = 0; i < 6000 && !second_has_begun(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(pid, SIGINT);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_THAT(file_content(output), HasSubstr("the same command goes on from there"));
  ASSERT_EQ(cached().size(), 1U);
  EXPECT_THAT(cached()[0], HasSubstr("a-"));
}

TEST_F(FlowCommand, writes_a_preview_of_a_single_video) {
  const ProgramResult result = flow(clip("a.mp4") + " --preview " + (dir_ / "p.mp4"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("10 frames; full colour is a displacement of"));
  EXPECT_EQ(video::Decoder(dir_ / "p.mp4").info().width, 192);
}

TEST_F(FlowCommand, serves_recognition_which_computes_what_is_missing) {
  const std::string a = clip("a.mp4"), b = clip("b.mp4", 12, -2);
  write_tiny_model(dir_ / "flow.actio", "if_ttn", "flow");
  const auto recognize = [&](const std::string& more) {
    return run_program("recognize " + (dir_ / "flow.actio") + " " + a + " " + b + " --json" + more);
  };
  const ProgramResult plain = recognize("");
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  ASSERT_EQ(flow(a).exit_code, 0);
  const std::string with_cache = " --flow-cache " + (dir_ / "cache");
  EXPECT_EQ(recognize(with_cache).out, plain.out);
  ASSERT_EQ(cached().size(), 2U);
  const std::string content = file_content(cached()[1]);
  std::ofstream(cached()[1], std::ios::binary) << content.substr(0, content.size() / 2);
  const ProgramResult repaired = recognize(with_cache);
  EXPECT_EQ(repaired.exit_code, 0);
  EXPECT_THAT(repaired.err, HasSubstr("it is computed anew"));
  EXPECT_EQ(file_content(cached()[1]), content);
  ASSERT_EQ(run_program("flow " + a + " -o " + (dir_ / "cache") + " --replace --flow-quality fast --flow-short-side 32").exit_code, 0);
  const ProgramResult stale = recognize(with_cache);
  EXPECT_EQ(stale.exit_code, 2);
  EXPECT_THAT(stale.err, HasSubstr("flow_short_side 32, but 48 is asked for"));
}

TEST_F(FlowCommand, serves_evaluation_which_stops_at_once_where_the_options_differ) {
  clip("data/wave/a.mp4");
  clip("data/clap/b.mp4", 12, -2);
  write_tiny_model(dir_ / "flow.actio", "tsn", "flow");
  const std::string evaluate = "evaluate " + (dir_ / "flow.actio") + " " + (dir_ / "data") + " --json";
  const ProgramResult plain = run_program(evaluate);
  EXPECT_EQ(plain.exit_code, 0) << plain.err;
  const ProgramResult with_cache = run_program(evaluate + " --flow-cache " + (dir_ / "cache"));
  EXPECT_EQ(with_cache.out, plain.out);
  EXPECT_EQ(cached().size(), 2U);
  ASSERT_EQ(run_program("flow " + (dir_ / "data") + " -o " + (dir_ / "other") + " --flow-quality fast --flow-short-side 32").exit_code, 0);
  expect_one_line(run_program(evaluate + " --flow-cache " + (dir_ / "other")), 2, "flow_short_side 32, but 48 is asked for");
}

TEST_F(FlowCommand, is_of_no_use_to_a_model_without_flow_which_says_so) {
  write_tiny_model(dir_ / "mv.actio", "tsn", "mv");
  const ProgramResult result =
      run_program("recognize " + (dir_ / "mv.actio") + " " + clip("a.mp4") + " --flow-cache " + (dir_ / "cache"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("reads motion 'mv', so --flow-cache has no use"));
}

#if ACTIO_HAS_TORCH

TEST_F(FlowCommand, serves_training_and_the_model_reads_flow_alike_with_and_without_it) {
  const std::string data = dir_ / "synth";
  ASSERT_EQ(run_program("data synth -o " + data + " --clips-per-class 3 --classes stand_up,sit_down").exit_code, 0);
  const std::string train = "train " + data + "/labels.csv --network tsn --streams motion --motion flow --backbone resnet18 --width 0.1"
                            " --segments 2 --input-size 32 --short-side 36 --motion-length 2 --epochs 2 --batch-size 2" + std::string(kQuick);
  const ProgramResult cached_training = run_program(train + " -o " + (dir_ / "a.actio") + " --flow-cache " + (dir_ / "cache"));
  ASSERT_EQ(cached_training.exit_code, 0) << cached_training.err;
  EXPECT_THAT(cached(), Not(IsEmpty()));
  ASSERT_EQ(run_program(train + " -o " + (dir_ / "b.actio")).exit_code, 0);
  const auto scores = [&](const std::string& model) {
    return run_program("recognize " + (dir_ / model) + " " + data + "/" + "*/*/*.mp4 " + data + "/*/*.mp4 --json 2>/dev/null").out;
  };
  EXPECT_EQ(scores("a.actio"), scores("b.actio")) << "the same weights were learned";
  expect_one_line(run_program("train " + data + "/labels.csv -o " + (dir_ / "c.actio") + " --flow-cache " + (dir_ / "cache")), 2,
                  "--flow-cache needs --motion flow");
}

#endif

}  // namespace
}  // namespace actio::testing
