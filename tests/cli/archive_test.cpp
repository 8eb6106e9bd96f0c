// Recognition of a long list in parts, which goes on where it was stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

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
