// One epoch that several loaders share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <set>

#include "clips.h"
#include "core/error.h"
#include "core/file.h"
#include "data/loader.h"
#include "support/inputs.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

using ::testing::HasSubstr;
using testing::write_moving_clip;

class LoaderShards : public ::testing::Test {
 protected:
  static constexpr std::int64_t kClips = 13;

  static void SetUpTestSuite() {
    dir_ = new actio::testing::TempDir;
    for (std::int64_t i = 0; i < kClips; ++i) {
      write_moving_clip(path_of(i), {.frames = 5 + i % 4}, 0.25 * static_cast<double>(i), 1);
    }
    for (const char* name : {"bad0.mp4", "bad1.mp4"}) std::ofstream(*dir_ / name) << "no video";
  }
  static void TearDownTestSuite() {
    delete dir_;
    dir_ = nullptr;
  }
  static std::string path_of(std::int64_t i) { return *dir_ / fmt::format("{:02}.mp4", i); }

  // With two files that are no videos, if so wanted, beside each other in the list.
  static std::vector<Item> items(bool with_bad = false) {
    std::vector<Item> all;
    for (std::int64_t i = 0; i < kClips; ++i) all.push_back({path_of(i), "x", i, {}, {}});
    if (!with_bad) return all;
    for (const char* name : {"bad0.mp4", "bad1.mp4"}) all.insert(all.begin() + 5, Item{*dir_ / name, "x", 99, {}, {}});
    return all;
  }
  static ClipRequest request() {
    ClipRequest request;
    request.segments = 2;
    Preprocess preprocess;
    preprocess.input_size = 16;
    preprocess.short_side = 20;
    request.inputs = actio::testing::inputs_for(preprocess);
    request.sampling = Sampling::kRandom;
    request.augment = true;
    return request;
  }

  // A line per clip: what it is, and its bytes.
  static std::vector<std::string> clips_of(const Batch& batch) {
    std::vector<std::string> lines;
    const Tensor& rgb = batch.inputs.at("rgb");
    const std::int64_t rows = rgb.dim(0) / static_cast<std::int64_t>(batch.labels.size());
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      const Tensor clip = rgb.rows(static_cast<std::int64_t>(i) * rows, rows);
      lines.push_back(fmt::format("{} {} {}", batch.labels[i], batch.paths[i], content_hash({clip.raw(), clip.bytes()})));
    }
    return lines;
  }
  static std::vector<std::vector<std::string>> epoch_of(const std::vector<Item>& some, const LoaderOptions& options,
                                                        std::int64_t epoch, std::int64_t first_batch = 0) {
    Loader loader(some, request(), options);
    loader.start_epoch(epoch, first_batch);
    std::vector<std::vector<std::string>> batches;
    while (const auto batch = loader.next()) batches.push_back(clips_of(*batch));
    if (first_batch == 0 && options.replace_failed) {
      EXPECT_EQ(loader.batches(), static_cast<std::int64_t>(batches.size()));
    }
    return batches;
  }

  static actio::testing::TempDir* dir_;
};

actio::testing::TempDir* LoaderShards::dir_ = nullptr;

TEST_F(LoaderShards, give_the_clips_and_bytes_of_one_loader_with_the_batches_together) {
  for (const bool with_bad : {false, true}) {
    for (const std::int64_t shards : {2, 3}) {
      for (const std::int64_t epoch : {0, 1}) {
        const std::int64_t batch = 2;
        const auto whole = epoch_of(items(with_bad), {.batch_size = batch * shards, .drop_last = true}, epoch);
        ASSERT_EQ(whole.size(), items(with_bad).size() / static_cast<std::size_t>(batch * shards));
        std::vector<std::vector<std::string>> together(whole.size());
        for (std::int64_t shard = 0; shard < shards; ++shard) {
          const LoaderOptions options{
              .batch_size = batch, .threads = 1 + shard, .drop_last = true, .shards = shards, .shard = shard};
          const auto part = epoch_of(items(with_bad), options, epoch);
          ASSERT_EQ(part.size(), whole.size()) << "every shard has as many batches";
          for (std::size_t i = 0; i < part.size(); ++i) {
            together[i].insert(together[i].end(), part[i].begin(), part[i].end());
          }
        }
        EXPECT_EQ(together, whole) << shards << " shards, epoch " << epoch << ", bad files " << with_bad;
      }
    }
  }
}

TEST_F(LoaderShards, resume_in_the_middle_of_an_epoch) {
  const LoaderOptions options{.batch_size = 2, .drop_last = true, .shards = 2, .shard = 1};
  const auto whole = epoch_of(items(), options, 4);
  ASSERT_EQ(whole.size(), 3u);
  EXPECT_EQ(epoch_of(items(), options, 4, 2), (std::vector<std::vector<std::string>>{whole[2]}));
  EXPECT_TRUE(epoch_of(items(), options, 4, 3).empty());
}

TEST_F(LoaderShards, read_every_clip_once_where_results_are_counted) {
  for (const bool with_bad : {false, true}) {
    for (const auto& [shards, batch] : std::vector<std::pair<std::int64_t, std::int64_t>>{{2, 3}, {3, 4}, {5, 4}, {4, 1}}) {
      std::multiset<std::string> seen, expected;
      LoaderOptions options{.batch_size = batch, .shuffle = false, .replace_failed = false};
      for (const auto& clips : epoch_of(items(with_bad), options, 0)) expected.insert(clips.begin(), clips.end());
      options.shards = shards;
      for (options.shard = 0; options.shard < shards; ++options.shard) {
        for (const auto& clips : epoch_of(items(with_bad), options, 0)) seen.insert(clips.begin(), clips.end());
      }
      EXPECT_EQ(seen.size(), static_cast<std::size_t>(kClips));
      EXPECT_EQ(seen, expected) << shards << " shards of " << batch;
    }
  }
}

TEST_F(LoaderShards, may_be_empty_where_results_are_counted) {
  const std::vector<Item> few{items()[0], items()[1]};
  Loader loader(few, request(), {.batch_size = 2, .shuffle = false, .replace_failed = false, .shards = 3, .shard = 2});
  EXPECT_EQ(loader.batches(), 0);
  EXPECT_FALSE(loader.next());
  // That all of its clips fail is nothing that one shard can judge.
  const std::vector<Item> bad{items()[0], items(true)[5]};
  Loader unlucky(bad, request(), {.batch_size = 1, .shuffle = false, .replace_failed = false, .shards = 2, .shard = 1});
  EXPECT_EQ(unlucky.batches(), 1);
  EXPECT_FALSE(unlucky.next());
  EXPECT_EQ(unlucky.failed_videos(), 1);
}

TEST_F(LoaderShards, that_would_fall_out_of_step_are_refused) {
  const auto complaint = [](const LoaderOptions& options) -> std::string {
    try {
      const Loader loader(items(), request(), options);
      return "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
  };
  EXPECT_EQ(complaint({.shards = 0}), "loader: shards must be 1 or more, got 0");
  EXPECT_EQ(complaint({.drop_last = true, .shards = 2, .shard = 2}), "loader: shard must be from 0 to 1, got 2");
  EXPECT_EQ(complaint({.drop_last = true, .shards = 2, .shard = -1}), "loader: shard must be from 0 to 1, got -1");
  EXPECT_THAT(complaint({.shards = 2}), HasSubstr("need drop_last"));
}

}  // namespace
}  // namespace actio::data
