// Folders and files that the system does not let us see, or not now.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "clips.h"
#include "core/error.h"
#include "data/clip_reader.h"
#include "data/flow_batch.h"
#include "data/flow_cache.h"
#include "data/loader.h"
#include "data/video_files.h"
#include "support/inputs.h"
#include "support/temp_dir.h"
#include "support/user.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using actio::testing::OrdinaryUser;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::write_moving_clip;

class LockedFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::permissions(dir_.path(), fs::perms(0755));
    write_moving_clip(dir_ / "clips/a.mp4", {.frames = 8}, 1, 0);
    write_moving_clip(dir_ / "clips/inner/b.mp4", {.frames = 8}, 1, 0);
    fs::create_directory(dir_ / "cache");
  }
  void TearDown() override {
    for (const char* name : {"clips", "clips/inner", "clips/.hidden", "cache"}) {
      std::error_code ignored;
      fs::permissions(dir_ / name, fs::perms(0755), ignored);
    }
  }
  void lock(const std::string& name) const { fs::permissions(dir_ / name, fs::perms(0)); }
  ClipRequest request(const std::string& name) const {
    ClipRequest request;
    request.path = dir_ / name;
    Preprocess preprocess;
    preprocess.input_size = 32;
    preprocess.short_side = 36;
    preprocess.motion = Motion::kFlow;
    preprocess.motion_length = 2;
    preprocess.flow_quality = "realtime";
    preprocess.flow_short_side = 32;
    request.inputs = actio::testing::inputs_for(preprocess);
    request.flow_cache = dir_ / "cache";
    return request;
  }
  // As an ordinary user. Any other exception than an Error ends the test.
  static Error error_of(const std::function<void()>& action) {
    const OrdinaryUser user;
    EXPECT_TRUE(user.is_one());
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::kFailed, "no error");
  }
  actio::testing::TempDir dir_;
};

TEST_F(LockedFolder, of_videos_is_an_error_and_no_shorter_list) {
  EXPECT_THAT(find_videos(dir_ / "clips"), ElementsAre(dir_ / "clips/a.mp4", dir_ / "clips/inner/b.mp4"));
  lock("clips/inner");
  const Error error = error_of([&] { find_videos(dir_ / "clips"); });
  EXPECT_EQ(error.code(), ErrorCode::kFailed);
  EXPECT_STREQ(error.what(), ((dir_ / "clips/inner") + ": cannot be listed: Permission denied").c_str());
  lock("clips");
  EXPECT_THAT(error_of([&] { find_videos(dir_ / "clips"); }).what(), HasSubstr("clips: cannot be listed: Permission denied"));
}

TEST_F(LockedFolder, that_is_hidden_is_not_looked_into) {
  fs::create_directory(dir_ / "clips/.hidden");
  lock("clips/.hidden");
  EXPECT_STREQ(error_of([&] { EXPECT_EQ(find_videos(dir_ / "clips").size(), 2U); }).what(), "no error");
}

TEST_F(LockedFolder, of_flow_is_an_error_of_the_clip) {
  lock("cache");
  const Error error = error_of([&] { read_clip(request("clips/a.mp4")); });
  EXPECT_EQ(error.code(), ErrorCode::kFailed);
  EXPECT_THAT(error.what(), HasSubstr("/cache/a-"));
  EXPECT_THAT(error.what(), HasSubstr("cannot be looked at: Permission denied"));
  const Error all = error_of([&] { Loader({{dir_ / "clips/a.mp4", "x", 0, {}, {}}}, request(""), {}).next(); });
  EXPECT_THAT(all.what(), HasSubstr("none of the 1 clips could be read; the first: "));
}

TEST_F(LockedFolder, of_flow_is_a_failure_of_each_video_of_a_batch) {
  lock("cache");
  FlowBatchReport report;
  EXPECT_STREQ(error_of([&] {
                 report = extract_flows({find_videos(dir_ / "clips"), dir_ / "cache", motion::flow_settings(request("").inputs.list.at(1)), 1});
               }).what(),
               "no error");
  ASSERT_EQ(report.failures.size(), 2U);
  EXPECT_THAT(report.failures[0], HasSubstr("cannot be looked at: Permission denied"));
}

TEST_F(LockedFolder, of_a_video_is_named_and_nothing_else) {
  lock("clips/inner");
  EXPECT_THAT(error_of([&] { read_clip(request("clips/inner/b.mp4")); }).what(),
              HasSubstr("inner/b.mp4: cannot be read: Permission denied"));
  ClipRequest plain = request("clips/inner/b.mp4");
  plain.inputs.list.pop_back();
  EXPECT_THAT(error_of([&] { read_clip(plain); }).what(), HasSubstr("inner/b.mp4: cannot be opened: Permission denied"));
}

// No file can be opened while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(LockedFolder, and_a_process_without_descriptors_are_different_failures) {
  const auto code_without_descriptors = [&](const ClipRequest& wanted) {
    const NoDescriptors none;
    try {
      read_clip(wanted);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("Too many open files"));
      return error.code();
    }
    return ErrorCode::kFailed;
  };
  ClipRequest plain = request("clips/a.mp4");
  EXPECT_EQ(code_without_descriptors(plain), ErrorCode::kTransient);
  read_clip(plain);
  EXPECT_EQ(code_without_descriptors(plain), ErrorCode::kTransient) << "its flow is there";
  plain.inputs.list.pop_back();
  EXPECT_EQ(code_without_descriptors(plain), ErrorCode::kTransient);
  plain.path = dir_ / "clips/missing.mp4";
  EXPECT_NO_THROW(read_clip(request("clips/a.mp4")));
  EXPECT_THROW(read_clip(plain), Error);
}

}  // namespace
}  // namespace actio::data
