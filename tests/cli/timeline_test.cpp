#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/program.h"
#include "cli/tiny_model.h"
#include "core/json.h"
#include "support/synthetic_clip.h"

namespace actio::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::ProgramResult;
using testing::run_program;

class Timeline : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_tiny_model(model_, "if_ttn", "mv");
    testing::write_synthetic_clip({.path = clip_, .frames = 75, .dx = 1.5});
  }
  // A model that knows nothing is sure of nothing, so that events have to begin at a low probability.
  ProgramResult timeline(const std::string& more) const { return run_program("timeline " + model_ + " " + more + " --window 0.6"); }
  testing::TempDir dir_;
  std::string model_ = dir_ / "m.actio", clip_ = dir_ / "clip.mp4";
};

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

TEST_F(Timeline, prints_events_as_a_table) {
  const ProgramResult result = timeline(clip_ + " --enter 0.2");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out,
              AllOf(StartsWith(clip_ + "\n       start        end    score  label\n        0.00 "), HasSubstr("  3.00 s, 75 frames, 13 decisions\n")));
  EXPECT_THAT(timeline(clip_ + " --enter 0.99").out, HasSubstr("no action, 3.00 s"));
}

TEST_F(Timeline, prints_json_csv_and_subtitles) {
  const ProgramResult json = timeline(clip_ + " --enter 0.2 --json");
  ASSERT_EQ(json.exit_code, 0) << json.err;
  const std::vector<Json> events = json_lines(json.out);
  ASSERT_GE(events.size(), 1U);
  EXPECT_EQ(events.front().at("video"), clip_);
  EXPECT_EQ(events.front().at("start"), 0);
  EXPECT_EQ(events.back().at("end"), 3);
  EXPECT_THAT(timeline(clip_ + " --enter 0.2 --csv").out, StartsWith("video,start,end,label,score,peak,peak_time\n" + clip_ + ",0.000,"));
  EXPECT_THAT(timeline(clip_ + " --enter 0.2 --vtt").out, StartsWith("WEBVTT\n\n00:00:00.000 --> 00:00:0"));
}

TEST_F(Timeline, prints_every_decision_where_it_is_asked_to) {
  const std::vector<Json> decisions = json_lines(timeline(clip_ + " --json --decisions --step 2").out);
  ASSERT_EQ(decisions.size(), 7U);
  EXPECT_EQ(decisions[1].at("begin"), 0.4);
  EXPECT_EQ(decisions[1].at("end"), 1.0);
  EXPECT_EQ(decisions[1].at("probabilities").size(), 3U);
}

TEST_F(Timeline, goes_on_after_a_video_that_cannot_be_read) {
  std::ofstream(dir_ / "broken.mp4") << "no video";
  std::ofstream(dir_ / "empty.mp4");
  const ProgramResult result = timeline((dir_ / "broken.mp4") + " " + (dir_ / "empty.mp4") + " " + clip_ + " --json --decisions");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(json_lines(result.out).size(), 13U);
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 2) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("actio: " + (dir_ / "broken.mp4")), HasSubstr("empty.mp4")));
}

TEST_F(Timeline, says_in_one_line_what_it_cannot_do) {
  EXPECT_EQ(timeline(clip_ + " --stride 2").exit_code, 2);
  EXPECT_EQ(timeline(clip_ + " --json --csv").exit_code, 2);
  EXPECT_EQ(timeline(clip_ + " --step 0").exit_code, 2);
  EXPECT_EQ(timeline("").exit_code, 2) << "no video";
  const ProgramResult rules = timeline(clip_ + " --enter 0.4 --leave 0.6");
  EXPECT_EQ(rules.exit_code, 2);
  EXPECT_EQ(rules.out, "");
  EXPECT_THAT(rules.err, HasSubstr("leave must not be above enter, got 0.6 and 0.4"));
  EXPECT_THAT(timeline(clip_ + " " + clip_ + " --vtt").err, HasSubstr("the subtitles of one video, got 2 videos"));
}

TEST_F(Timeline, has_its_options_in_a_file) {
  std::ofstream(dir_ / "o.toml") << "[timeline]\nstep = 4\n";
  EXPECT_EQ(json_lines(timeline(clip_ + " --json --decisions --config " + (dir_ / "o.toml")).out).size(), 4U);
  EXPECT_THAT(run_program("timeline --print-config").out, HasSubstr("[timeline]\n"));
}

}  // namespace
}  // namespace actio::cli
