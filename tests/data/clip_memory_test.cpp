#include "data/clip_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "clips.h"
#include "core/error.h"
#include "data/clip_reader.h"
#include "support/inputs.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using testing::write_grey_clip;

class Memory : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content = "x") const {
    std::ofstream(dir_ / name) << content;
    return dir_ / name;
  }
  static ClipFacts facts_with(std::int64_t frames) {
    ClipFacts facts;
    facts.frames = frames;
    return facts;
  }
  actio::testing::TempDir dir_;
};

TEST_F(Memory, of_twenty_thousand_names_stays_within_its_bytes_and_keeps_those_asked_for_last) {
  constexpr std::int64_t kNames = 20'000;
  constexpr std::size_t kBytes = 200'000;
  file("clip");
  ClipMemory memory(kBytes);
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < kNames; ++i) {
    std::string steps;  // other names of one file: ./, .//, ././, ...
    for (std::int64_t bits = i + 1; bits > 1; bits /= 2) steps += bits % 2 == 0 ? "./" : ".//";
    names.push_back(dir_ / (steps + "clip"));
    memory.keep(names.back(), false, facts_with(i + 1));
    ASSERT_LE(memory.bytes(), kBytes);
    ASSERT_TRUE(memory.find(names.front(), false)) << "it is asked for all the time; after " << i;
  }
  EXPECT_GT(memory.clips(), 100U);
  EXPECT_LT(memory.clips(), 2'000U);
  EXPECT_EQ(memory.find(names.back(), false)->frames, kNames);
  EXPECT_EQ(memory.find(names.front(), false)->frames, 1);
  EXPECT_FALSE(memory.find(names[1], false)) << "nobody asked for it";
}

TEST_F(Memory, tells_a_file_that_was_changed_from_the_one_it_knew) {
  const std::string path = file("a");
  ClipMemory memory;
  memory.keep(path, false, facts_with(7));
  EXPECT_EQ(memory.find(path, false)->frames, 7);
  EXPECT_FALSE(memory.find(path, true)) << "vectors are another decoding";
  file("a", "longer");
  EXPECT_FALSE(memory.find(path, false));
  EXPECT_EQ(memory.clips(), 0U) << "what is out of date is not kept";
  memory.keep(path, false, facts_with(9));
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::hours(1));
  EXPECT_FALSE(memory.find(path, false));
  memory.keep(path, false, facts_with(9));
  memory.forget(path, false);
  EXPECT_FALSE(memory.find(path, false));
  memory.keep(dir_ / "missing", false, facts_with(9));
  EXPECT_EQ(memory.clips(), 0U);
  EXPECT_EQ(memory.bytes(), 0U);
}

TEST_F(Memory, that_holds_nothing_costs_a_second_look_and_no_frame) {
  std::vector<std::string> paths;
  for (std::int64_t i = 0; i < 4; ++i) {
    paths.push_back(dir_ / fmt::format("{}.avi", i));
    write_grey_clip(paths.back(), {.frames = 9 + i});
    fs::resize_file(paths.back(), fs::file_size(paths.back()) - 200);  // the container claims too many frames
  }
  ClipRequest request;
  request.segments = 3;
  Preprocess preprocess;
  preprocess.input_size = 32;
  preprocess.short_side = 36;
  request.inputs = actio::testing::inputs_for(preprocess);
  ClipMemory large, small(1), one(600);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
      request.path = paths[i];
      const ClipInput clip = read_clip(request, large);
      for (ClipMemory* memory : {&small, &one}) {
        const ClipInput again = read_clip(request, *memory);
        EXPECT_EQ(again.sampled, clip.sampled);
        EXPECT_EQ(again.frames, clip.frames);
        EXPECT_EQ(again.warnings, clip.warnings);
      }
    }
  }
  EXPECT_EQ(large.clips(), 4U);
  EXPECT_EQ(small.clips(), 0U);
  EXPECT_LE(one.clips(), 1U);
}

TEST_F(Memory, serves_many_threads_at_once) {
  const std::string a = file("a"), b = file("b");
  ClipMemory memory(1'000);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          const std::string& path = (i + t) % 2 == 0 ? a : b;
          const std::int64_t frames = path == a ? 1 : 2;
          memory.keep(path, t % 2 == 0, facts_with(frames));
          if (const auto facts = memory.find(path, t % 2 == 0)) wrong += facts->frames != frames;
          memory.forget(path, t % 2 != 0);
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(Memory, lets_a_folder_that_was_full_rest_for_a_while_only) {
  ClipMemory::Clock::time_point now{};
  ClipMemory memory(1'000, [&] { return now; });
  EXPECT_FALSE(memory.is_resting("flow"));
  EXPECT_TRUE(memory.rest("flow"));
  EXPECT_TRUE(memory.is_resting("flow"));
  EXPECT_FALSE(memory.is_resting("other"));
  now += ClipMemory::kFolderRest;
  EXPECT_FALSE(memory.is_resting("flow")) << "it may be tried again";
  EXPECT_FALSE(memory.rest("flow")) << "that it is full still is no news";
  EXPECT_TRUE(memory.is_resting("flow"));
  memory.wake("flow");
  EXPECT_FALSE(memory.is_resting("flow"));
  EXPECT_TRUE(memory.rest("flow")) << "it worked in the meantime";
}

}  // namespace
}  // namespace actio::data
