// Recognition of a long list in parts, which goes on where it was stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "recognize/archive.h"
#include "cli/program.h"
#include "cli/tiny_model.h"
#include "core/error.h"
#include "support/synthetic_clip.h"

namespace actio::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Archive : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_model(path("model.actio"), "tsn", "none");
    std::ofstream manifest(path("list.txt"));
    manifest << "# seven clips, one of them missing\n\n";
    for (int i = 0; i < 6; ++i) {
      write_synthetic_clip({.path = path(name(i)), .frames = 10 + i, .dx = 2});
      manifest << name(i) << "\n";
    }
    manifest << "missing.mp4\n";
  }
  static std::string name(int i) { return "clip" + std::to_string(i) + ".mp4"; }
  std::string path(const std::string& file) const { return dir_ / file; }
  ProgramResult recognise(const std::string& more, const std::string& before = "") const {
    return run_program("recognize " + path("model.actio") + " --manifest " + path("list.txt") + " -o " + path("out.jsonl") + more, before);
  }
  static std::vector<nlohmann::json> answers(const std::string& file) {
    std::vector<nlohmann::json> lines;
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
  TempDir dir_;
};

// Of the videos "a", "b" and "c".
std::set<std::string> done(const recognize::ArchiveOutput& output) {
  std::set<std::string> names;
  for (const char* name : {"a", "b", "c"}) {
    if (output.done().contains(name)) names.insert(name);
  }
  EXPECT_EQ(output.done().size(), names.size());
  return names;
}

TEST(ArchiveOutput, is_not_taken_for_whole_where_its_answers_cannot_be_read_any_more) {
  const TempDir dir;
  const std::string path = dir / "answers.jsonl";
  {
    recognize::ArchiveOutput output(path, {{"job", 1}});
    output.add("a.mp4", {{"video", "a.mp4"}});
    fs::remove(path + ".partial");
    EXPECT_THROW(output.finish(), Error);
    EXPECT_FALSE(fs::exists(path));
  }
  {
    recognize::ArchiveOutput output(path, {{"job", 1}});
    output.add("a.mp4", {{"video", "a.mp4"}});
    output.finish();
    EXPECT_EQ(file_content(path), "{\"video\":\"a.mp4\"}\n");
  }
}

TEST_F(Archive, goes_on_behind_a_video_of_too_many_pixels_and_says_how_many_there_may_be) {
  write_synthetic_clip({.path = path(name(2)), .frames = 10, .width = 320, .height = 240});
  const ProgramResult result = recognise(" --max-pixels 20000 --max-seconds 600");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_THAT(result.out, HasSubstr("7 videos, 2 could not be read"));
  const auto lines = answers(path("out.jsonl"));
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[2].at("error"), path(name(2)) + ": claims 320 x 240 pixels, 76800 in all; at most 20000 a frame are read (--max-pixels)");
  EXPECT_EQ(lines[3].at("frames"), 13);
  EXPECT_EQ(recognise(" --max-pixels 80000 --retry-failed").exit_code, 3);
  EXPECT_EQ(answers(path("out.jsonl")).at(5).at("frames"), 10) << "a larger limit is no other job";
}

TEST_F(Archive, has_an_answer_to_every_video_in_the_order_of_the_list) {
  const ProgramResult result = recognise("");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_THAT(result.out, HasSubstr("7 videos, 1 could not be read"));
  const auto lines = answers(path("out.jsonl"));
  ASSERT_EQ(lines.size(), 7U);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(lines[static_cast<std::size_t>(i)].at("video"), path(name(i)));
    EXPECT_EQ(lines[static_cast<std::size_t>(i)].at("frames"), 10 + i);
  }
  EXPECT_THAT(lines[6].at("error").get<std::string>(), HasSubstr("missing.mp4"));
  EXPECT_FALSE(fs::exists(path("out.jsonl.partial")));
  const auto alone = nlohmann::json::parse(run_program("recognize " + path("model.actio") + " " + path(name(3)) + " --json").out);
  EXPECT_EQ(alone, lines[3]);
}

TEST_F(Archive, asks_again_for_the_videos_whose_answer_is_an_error_and_for_no_other) {
  EXPECT_EQ(recognise("").exit_code, 3);
  const std::string before = file_content(path("out.jsonl"));
  const ProgramResult still = recognise(" --retry-failed");
  EXPECT_EQ(still.exit_code, 3);
  EXPECT_THAT(still.out, HasSubstr("6 of 7 videos are done already"));
  EXPECT_EQ(file_content(path("out.jsonl")), before) << "one error in the place of the other";
  fs::copy_file(path(name(2)), path("missing.mp4"));
  fs::remove(path(name(0)));  // would be missed if it was asked for
  const ProgramResult other = recognise(" --retry-failed --top 2");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("belongs to another job (top: 5 there, 2 here); without --retry-failed all videos are asked anew"));
  EXPECT_EQ(file_content(path("out.jsonl")), before);
  const ProgramResult result = recognise(" --retry-failed");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto lines = answers(path("out.jsonl"));
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[6].at("video"), path("missing.mp4"));
  EXPECT_EQ(lines[6].at("frames"), 12);
  EXPECT_EQ(file_content(path("out.jsonl")).substr(0, 500), before.substr(0, 500));
  EXPECT_FALSE(fs::exists(path("out.jsonl.job"))) << "nothing is left to be asked again";
  const ProgramResult nothing = recognise(" --retry-failed");
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("out.jsonl: no file beside it says"));
  EXPECT_FALSE(fs::exists(path("out.jsonl.partial")));
  EXPECT_EQ(run_program("recognize " + path("model.actio") + " " + path(name(1)) + " --retry-failed").exit_code, 2);
}

TEST(ArchiveOutput, replaces_errors_in_a_part_that_was_interrupted) {
  const TempDir dir;
  const std::string path = dir / "answers.jsonl";
  const auto line = [](const std::string& video, const std::string& key) { return Json{{"video", video}, {key, 1}}; };
  {
    recognize::ArchiveOutput output(path, {{"job", 1}});
    output.add("a", line("a", "error"));
    output.add("b", line("b", "top"));
    output.add("c", line("c", "error"));
    EXPECT_EQ(output.failed(), 2);
  }
  {
    const recognize::ArchiveOutput output(path, {{"job", 1}});
    EXPECT_EQ(done(output), (std::set<std::string>{"a", "b", "c"})) << "an error is an answer";
  }
  {
    recognize::ArchiveOutput output(path, {{"job", 1}}, true);
    EXPECT_EQ(done(output), (std::set<std::string>{"b"}));
    output.add("c", line("c", "top"));
    output.add("a", line("a", "error"));
    EXPECT_EQ(output.failed(), 1);
  }
  recognize::ArchiveOutput output(path, {{"job", 1}}, true);
  EXPECT_EQ(done(output), (std::set<std::string>{"b", "c"}));
  output.add("a", line("a", "top"));
  output.finish();
  EXPECT_EQ(file_content(path), R"({"video":"b","top":1}
{"video":"c","top":1}
{"video":"a","top":1}
)");
}

TEST(ReadManifest, finds_a_video_again_under_its_other_names) {
  const TempDir dir;
  const std::string list = dir / "list.txt";
  const auto message_of = [&](const std::string& content) {
    std::ofstream(list) << content;
    try {
      recognize::read_manifest(list);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message_of("a.avi\n" + (dir / "b.avi") + "\nb/a.avi\n"), "no error");
  const std::string twice = "' is in line 1, too";
  EXPECT_EQ(message_of("a.avi\n" + (dir / "a.avi") + "\n"), list + ":2: '" + (dir / "a.avi") + twice);
  EXPECT_EQ(message_of((dir / "a.avi") + "\n\na.avi\n"), list + ":3: 'a.avi" + twice);
  EXPECT_EQ(message_of("a.avi\n./a.avi\n"), list + ":2: './a.avi" + twice);
  EXPECT_EQ(message_of("a.avi\nb/../a.avi\n"), list + ":2: 'b/../a.avi" + twice);
}

TEST_F(Archive, in_shards_has_the_answers_of_the_whole) {
  recognise("");
  std::vector<std::string> all, parts;
  for (const auto& line : answers(path("out.jsonl"))) all.push_back(line.dump());
  for (const char* shard : {"1", "2", "3"}) {
    recognise(std::string(" --shard ") + shard + "/3");
    for (const auto& line : answers(path(std::string("out.") + shard + "-of-3.jsonl"))) parts.push_back(line.dump());
  }
  std::ranges::sort(all);
  std::ranges::sort(parts);
  EXPECT_EQ(parts, all);
}

TEST_F(Archive, goes_on_after_a_kill_and_drops_a_line_that_was_cut) {
  recognise("");
  const std::string whole = file_content(path("out.jsonl"));
  fs::remove(path("out.jsonl"));
  // The limit on the size of files stops it in the middle of an answer.
  const ProgramResult stopped = recognise("", "prlimit --fsize=1500:1500");
  EXPECT_NE(stopped.exit_code, 0);
  EXPECT_FALSE(fs::exists(path("out.jsonl")));
  const std::string partial = file_content(path("out.jsonl.partial"));
  ASSERT_EQ(partial.size(), 1500U);
  ASSERT_NE(partial.back(), '\n');
  const auto done = std::ranges::count(partial, '\n') - 1;  // without the line that tells the job
  ASSERT_GE(done, 1);
  const ProgramResult other = recognise(" --top 2");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("belongs to another job (top: 5 there, 2 here)"));
  // The videos would have other names, and be answered twice.
  const ProgramResult inside = run_program("recognize model.actio --manifest list.txt -o out.jsonl", "cd " + path("") + " &&");
  EXPECT_THAT(inside.err, HasSubstr("belongs to another job"));
  const ProgramResult rest = recognise("");
  EXPECT_EQ(rest.exit_code, 3) << rest.err;
  EXPECT_THAT(rest.out, HasSubstr(std::to_string(done) + " of 7 videos are done already"));
  EXPECT_EQ(file_content(path("out.jsonl")), whole);
}

TEST_F(Archive, refuses_what_does_not_belong_together_in_one_line) {
  std::ofstream(path("out.jsonl.partial")) << "{\"model\":\"another\"}\n";
  const ProgramResult other = recognise("");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("belongs to another job"));
  for (const char* shard : {"0/3", "4/3", "1", "a/b", "1/0", "-1/2"}) {
    const ProgramResult result = recognise(std::string(" --shard=") + shard);
    EXPECT_EQ(result.exit_code, 2) << shard;
    EXPECT_THAT(result.err, HasSubstr("is not of the form 2/4")) << shard;
  }
  std::ofstream(path("list.txt")) << "a.mp4\nb.mp4\na.mp4\n";
  EXPECT_THAT(recognise("").err, HasSubstr("list.txt:3: 'a.mp4' is in line 1, too"));
  std::ofstream(path("list.txt")) << "# nothing\n";
  EXPECT_THAT(recognise("").err, HasSubstr("names no video"));
  EXPECT_EQ(run_program("recognize " + path("model.actio")).exit_code, 2);
  EXPECT_EQ(run_program("recognize " + path("model.actio") + " --manifest " + path("list.txt")).exit_code, 2);
  EXPECT_EQ(run_program("recognize " + path("model.actio") + " " + path(name(0)) + " --shard 1/2").exit_code, 2);
}

}  // namespace
}  // namespace actio::testing
