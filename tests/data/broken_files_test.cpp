// A data set in which every tenth file is broken, each in another way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "clips.h"
#include "core/error.h"
#include "core/file.h"
#include "data/loader.h"
#include "support/inputs.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kClips = 200;

std::string bytes_of(const std::string& path) { return read_text_file(path); }

void write_bytes(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// The broken ones: 2, 12, 22, ...
class BrokenFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_moving_clip(dir_ / "source.avi", {.frames = 24, .codec = "mpeg4"}, 1, 0);
    testing::write_moving_clip(dir_ / "source.mp4", {.frames = 24}, 1, 0);
    for (std::int64_t i = 0; i < kClips; ++i) {
      const std::string ending = i % 2 == 0 ? "avi" : "mp4";
      const std::string path = dir_ / fmt::format("{:03}.{}", i, ending);
      if (i % 10 == 2) {
        damage(path, i / 10);
      } else {
        fs::create_hard_link(dir_ / ("source." + ending), path);
      }
      items_.push_back({path, "x", i, {}, {}});
    }
  }
  void TearDown() override {
    std::error_code code;
    fs::permissions(dir_ / "172.avi", fs::perms::owner_all, code);
  }

  void damage(const std::string& path, std::int64_t kind) {
    const std::string avi = bytes_of(dir_ / "source.avi"), mp4 = bytes_of(dir_ / "source.mp4");
    const auto cut = [&](const std::string& from, double share) {
      write_bytes(path, from.substr(0, static_cast<std::size_t>(share * static_cast<double>(from.size()))));
    };
    const auto zero = [&](std::string from, double begin, double end) {
      const auto size = static_cast<double>(from.size());
      std::fill(from.begin() + static_cast<std::ptrdiff_t>(begin * size), from.begin() + static_cast<std::ptrdiff_t>(end * size), '\0');
      write_bytes(path, from);
    };
    switch (kind) {
      case 0: write_bytes(path, ""); break;
      case 1: fs::create_directory(path); break;
      case 2: write_bytes(path, "this is text with a wrong extension\n"); break;
      case 3: write_bytes(path, avi.substr(0, 11)); break;
      case 4: write_bytes(path, avi.substr(0, 200)); break;
      case 5: cut(avi, 0.1); break;
      case 6: cut(avi, 0.3); break;
      case 7: cut(avi, 0.5); break;
      case 8: cut(avi, 0.9); break;
      case 9: cut(mp4, 0.5); break;  // without its index
      case 10: cut(mp4, 0.97); break;
      case 11: zero(avi, 0.58, 0.66); break;  // the pictures begin at 0.57
      case 12: zero(avi, 0.7, 0.9); break;
      case 13: zero(mp4, 0.2, 0.7); break;
      case 14: zero(mp4, 0.9, 1); break;
      case 15: write_bytes(path, mp4); break;  // another container than its name says: no fault
      case 16: fs::create_symlink(dir_ / "nowhere.avi", path); break;
      case 17: write_bytes(path, avi), fs::permissions(path, fs::perms::none); break;
      case 18: write_bytes(path, std::string(5000, '\0')); break;
      default: fs::create_symlink(path, path); break;  // a link to itself
    }
  }
  static ClipRequest request(const std::string& motion) {
    ClipRequest request;
    request.segments = 3;
    Preprocess preprocess;
    preprocess.input_size = 24;
    preprocess.short_side = 27;
    preprocess.motion = value_named<Motion>("motion", motion);
    preprocess.motion_length = 2;
    request.inputs = actio::testing::inputs_for(preprocess);
    request.sampling = Sampling::kRandom;
    request.augment = true;
    return request;
  }

  actio::testing::TempDir dir_;
  std::vector<Item> items_;
};

TEST_F(BrokenFiles, finish_an_epoch_and_are_reported_once_each_whatever_the_number_of_threads) {
  std::vector<std::string> expected;
  for (const std::int64_t threads : {1, 2, 4}) {
    std::vector<std::string> warnings, epochs;
    Loader loader(items_, request("mv"), {.batch_size = 8, .threads = threads}, [&](const std::string& w) { warnings.push_back(w); });
    for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
      loader.start_epoch(epoch);
      std::string text;
      std::int64_t clips = 0;
      while (const auto batch = loader.next()) {
        clips += static_cast<std::int64_t>(batch->labels.size());
        for (const auto& [name, tensor] : batch->inputs) text += content_hash({tensor.raw(), tensor.bytes()});
        text += fmt::format(" {}\n", fmt::join(batch->paths, " "));
      }
      EXPECT_EQ(clips, kClips) << "what fails is replaced";
      epochs.push_back(text);
    }
    if (expected.empty()) expected = epochs;
    EXPECT_EQ(epochs, expected) << threads << " threads";

    // Each broken file, and no other, has one line; the one that only has another name than its container has none.
    std::map<std::string, int> lines;
    for (const std::string& warning : warnings) {
      EXPECT_EQ(warning.find('\n'), std::string::npos);
      const std::string path = warning.substr(0, warning.find(": "));
      ++lines[fs::path(path).filename().string()];
    }
    for (std::int64_t i = 0; i < kClips; ++i) {
      const std::string name = fs::path(items_[static_cast<std::size_t>(i)].path).filename().string();
      const bool readable_by_all = i == 172 && geteuid() == 0;  // the administrator may read it all the same
      const bool broken = i % 10 == 2 && i / 10 != 15 && !readable_by_all;
      const int count = lines.contains(name) ? lines[name] : 0;
      EXPECT_EQ(count, broken ? 1 : 0) << name;
    }
    EXPECT_GE(loader.failed_videos(), 9);
  }
}

TEST_F(BrokenFiles, are_left_out_and_counted_where_results_are_counted) {
  std::int64_t failures = 0;
  ClipRequest wanted = request("rgbdiff");
  wanted.sampling = Sampling::kCentre;
  Loader loader(items_, wanted, {.batch_size = 8, .threads = 2, .shuffle = false, .replace_failed = false},
                [&](const std::string& warning) { failures += warning.ends_with("the clip is left out") ? 1 : 0; });
  std::int64_t clips = 0;
  while (const auto batch = loader.next()) clips += static_cast<std::int64_t>(batch->labels.size());
  EXPECT_EQ(clips + loader.failed_videos(), kClips);
  EXPECT_EQ(failures, loader.failed_videos());
}

}  // namespace
}  // namespace actio::data
