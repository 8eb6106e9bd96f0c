#include "data/synthetic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "data/dataset.h"
#include "data/synthetic/actions.h"
#include "data/synthetic/clip.h"
#include "support/temp_dir.h"
#include "video/decoder.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using synthetic::Canvas;
using synthetic::Clip;
using synthetic::kActionPairs;
using ::testing::HasSubstr;

std::vector<Tensor> frames_of(Clip clip) {
  std::vector<Tensor> frames;
  clip.render([&](const Tensor& rgb) { frames.push_back(rgb.clone()); });
  return frames;
}

double mean_difference(const Tensor& a, const Tensor& b) {
  double sum = 0;
  const auto x = a.values<std::uint8_t>(), y = b.values<std::uint8_t>();
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(int{x[i]} - int{y[i]});
  return sum / static_cast<double>(x.size());
}

Clip clip_of(std::size_t pair, bool backward, std::uint64_t seed, std::uint64_t camera = 1) {
  return Clip(pair, backward, {}, Rng(seed), Rng(seed, camera));
}

SynthesisOptions small(const std::string& out) {
  SynthesisOptions options;
  options.out = out;
  options.clips_per_class = 3;
  options.min_width = options.min_height = 64;
  options.max_width = options.max_height = 80;
  options.min_frames = 8;
  options.max_frames = 14;
  return options;
}

std::map<std::string, std::string> hashes_of(const std::string& folder) {
  std::map<std::string, std::string> hashes;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) hashes[fs::relative(entry.path(), folder).string()] = content_hash_of_file(entry.path());
  }
  return hashes;
}

TEST(Canvas, draws_smooth_edges_with_the_right_area) {
  Canvas canvas(64, 64);
  canvas.draw(synthetic::Capsule{{32.3, 31.6}, {32.3, 31.6}, 10, 10, {0, 100, 0}, 0});
  canvas.draw(synthetic::Box{{-50, 20}, 10, 10, 1, {255, 255, 255}, 0});
  double covered = 0;
  bool partial = false;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      covered += canvas.row(y)[3 * x + 1] > 30 ? 1 : 0;
      partial = partial || (canvas.row(y)[3 * x + 1] > 5 && canvas.row(y)[3 * x + 1] < 40);
      EXPECT_EQ(canvas.row(y)[3 * x], 0.0F);
    }
  }
  EXPECT_NEAR(covered, 3.14159 * 100, 20);
  EXPECT_TRUE(partial);
}

TEST(Figure, joints_keep_the_length_of_limbs_and_bend_the_right_way) {
  using synthetic::Point;
  Rng rng(1);
  for (int i = 0; i < 500; ++i) {
    const Point root{rng.uniform(-1, 1), rng.uniform(-1, 1)};
    Point target{rng.uniform(-1, 1), rng.uniform(-1, 1)};
    const Point joint = synthetic::middle_joint(root, target, 0.25, 0.25, 1.0);
    ASSERT_NEAR(std::hypot(joint.x - root.x, joint.y - root.y), 0.25, 1e-9);
    ASSERT_NEAR(std::hypot(joint.x - target.x, joint.y - target.y), 0.25, 1e-6);
  }
  Point ankle{0, 0.1};
  EXPECT_GT(synthetic::middle_joint({0, 0.5}, ankle, 0.25, 0.25, 1.0).x, 0.05);
  EXPECT_LT(synthetic::middle_joint({0, 0.5}, ankle, 0.25, 0.25, -1.0).x, -0.05);
  Point same{0, 0.5};
  EXPECT_FALSE(std::isnan(synthetic::middle_joint({0, 0.5}, same, 0.25, 0.25, 1.0).x));
}

TEST(Actions, stay_inside_of_the_place_they_announce_and_do_move) {
  for (std::size_t pair = 0; pair < kActionPairs.size(); ++pair) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      Rng rng(seed);
      const auto performance = synthetic::make_performance(pair, rng);
      const auto extent = performance->extent();
      const synthetic::View view{{300, 220}, 150, seed % 2 == 0 ? 1 : -1};
      const double one = view.at({extent.left, 0}).x, two = view.at({extent.right, 0}).x;
      std::vector<std::vector<float>> pictures;
      for (const double progress : {0.0, 0.1, 0.3, 0.49, 0.51, 0.7, 0.9, 1.0}) {
        Canvas canvas(600, 300);
        std::fill(canvas.row(0), canvas.row(0) + 600 * 300 * 3, 255.0F);
        performance->paint(canvas, view, progress, 0.012);
        for (int y = 0; y < 300; ++y) {
          for (int x = 0; x < 600; ++x) {
            const bool inside =
                x >= std::min(one, two) - 4 && x <= std::max(one, two) + 4 && y >= 220 - 150 * extent.top - 4 && y <= 230;
            ASSERT_TRUE(inside || canvas.row(y)[3 * x] == 255.0F)
                << kActionPairs[pair].forward << " seed " << seed << " draws at " << x << "," << y << " at " << progress;
          }
        }
        pictures.emplace_back(canvas.row(0), canvas.row(0) + 600 * 300 * 3);
      }
      double changed = 0;
      for (std::size_t i = 0; i < pictures[0].size(); ++i)
        changed += std::fabs(pictures.front()[i] - pictures.back()[i]) > 20 ? 1 : 0;
      EXPECT_GT(changed, 1500) << kActionPairs[pair].forward << " does not move";
    }
  }
}

TEST(SyntheticClip, of_the_other_class_is_the_same_scene_backwards) {
  for (std::size_t pair = 0; pair < kActionPairs.size(); ++pair) {
    const Clip forward = clip_of(pair, false, 40 + pair, 1), backward = clip_of(pair, true, 40 + pair, 2);
    std::vector<double> reversed = backward.progress();
    std::ranges::reverse(reversed);
    EXPECT_EQ(forward.progress(), reversed);
    EXPECT_EQ(forward.width(), backward.width());
    EXPECT_EQ(forward.view().facing, backward.view().facing);
    EXPECT_DOUBLE_EQ(*std::ranges::min_element(forward.progress()), 0.0);
    EXPECT_DOUBLE_EQ(*std::ranges::max_element(forward.progress()), 1.0);
  }
}

TEST(SyntheticClip, shows_the_reversed_pictures_but_for_what_the_camera_adds) {
  for (std::size_t pair = 0; pair < kActionPairs.size(); ++pair) {
    const auto forward = frames_of(clip_of(pair, false, 7 + pair, 1)),
               backward = frames_of(clip_of(pair, true, 7 + pair, 2));
    ASSERT_EQ(forward.size(), backward.size());
    const std::size_t last = forward.size() - 1;
    double aligned = 0, straight = 0;
    for (const std::size_t i : {std::size_t{0}, last}) {
      aligned += mean_difference(forward[i], backward[last - i]);
      straight += mean_difference(forward[i], backward[i]);
    }
    EXPECT_LT(aligned, straight) << kActionPairs[pair].forward;
  }
}

TEST(SyntheticClip, faces_either_way_and_idles_alike_before_and_after) {
  int right = 0;
  double before = 0, after = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Clip clip = clip_of(seed % 5, false, seed);
    right += clip.view().facing > 0 ? 1 : 0;
    for (const double progress : clip.progress()) {
      before += progress == 0.0 ? 1 : 0;
      after += progress == 1.0 ? 1 : 0;
    }
  }
  EXPECT_NEAR(right, 150, 35);
  EXPECT_NEAR(before / after, 1.0, 0.25);
}

TEST(Synthesis, writes_the_same_bytes_whatever_the_number_of_threads) {
  const actio::testing::TempDir dir;
  SynthesisOptions options = small(dir / "one");
  options.threads = 1;
  const SynthesisReport report = synthesise(options);
  EXPECT_EQ(report.clips, 30);
  EXPECT_EQ(report.test, 10);
  EXPECT_EQ(report.train, 20);
  options.out = dir / "three";
  options.threads = 3;
  std::int64_t calls = 0;
  synthesise(options, [&](const ProgressReport& progress) { calls += progress.total == 30 ? 1 : 0; });
  EXPECT_EQ(calls, 30);
  const auto hashes = hashes_of(dir / "one");
  EXPECT_EQ(hashes.size(), 31u);
  EXPECT_EQ(hashes, hashes_of(dir / "three"));
  options.out = dir / "other";
  options.seed = 2;
  synthesise(options);
  EXPECT_NE(hashes, hashes_of(dir / "other"));
}

TEST(Synthesis, makes_the_same_clips_when_only_some_classes_are_wanted) {
  const actio::testing::TempDir dir;
  SynthesisOptions options = small(dir / "all");
  synthesise(options);
  options.out = dir / "some";
  options.classes = {"pull", "sit_down"};
  EXPECT_THAT(synthesise(options).classes, ::testing::ElementsAre("sit_down", "pull"));
  EXPECT_EQ(content_hash_of_file(dir / "all/pull/pull_g002.mp4"), content_hash_of_file(dir / "some/pull/pull_g002.mp4"));
}

TEST(Synthesis, writes_a_table_that_loads_and_keeps_scenes_in_one_part) {
  const actio::testing::TempDir dir;
  const SynthesisReport report = synthesise(small(dir / "set"));
  const Dataset dataset = load_dataset(report.labels_csv);
  EXPECT_EQ(dataset.classes.size(), 10u);
  EXPECT_EQ(dataset.items.size(), 30u);
  std::map<std::string, std::string> part_of_group;
  for (const Item& item : dataset.items) {
    const std::string& part = item.columns.at("part");
    EXPECT_EQ(item.group, item.columns.at("group"));
    EXPECT_EQ(part_of_group.emplace(item.group, part).first->second, part);
    video::Decoder decoder(item.path, {.vectors = true});
    std::int64_t frames = 0, vectors = 0;
    while (const auto frame = decoder.next()) {
      ++frames;
      vectors += static_cast<std::int64_t>(frame->vectors.size());
      EXPECT_FALSE(frame->damaged);
    }
    EXPECT_EQ(std::to_string(frames), item.columns.at("frames")) << item.path;
    EXPECT_EQ(std::to_string(decoder.info().width), item.columns.at("width"));
    EXPECT_GT(vectors, 0) << item.path;
  }
  EXPECT_EQ(part_of_group.size(), 3u);
  EXPECT_EQ(load_dataset(dir / "set").items.size(), 30u);
}

TEST(Synthesis, refuses_what_it_cannot_do_in_one_line) {
  const actio::testing::TempDir dir;
  const auto error = [](const SynthesisOptions& options) {
    try {
      synthesise(options);
    } catch (const Error& failure) {
      EXPECT_EQ(failure.code(), ErrorCode::kUsage);
      return std::string(failure.what());
    }
    return std::string("no error");
  };
  SynthesisOptions options = small(dir / "out");
  options.classes = {"standup"};
  EXPECT_EQ(error(options), "unknown class 'standup'; the nearest is 'stand_up'");
  options = small(dir / "out");
  options.min_width = 90;
  EXPECT_THAT(error(options), HasSubstr("width must be 64..4096 and in order, got 90..80"));
  fs::create_directories(dir / "out");
  std::ofstream(dir / "out/file") << "x";
  EXPECT_THAT(error(small(dir / "out")), HasSubstr("is not empty"));
  EXPECT_THAT(error(SynthesisOptions{}), HasSubstr("need a folder"));
}

TEST(Synthesis, stops_when_asked_to) {
  const actio::testing::TempDir dir;
  std::stop_source source;
  SynthesisOptions options = small(dir / "out");
  options.threads = 1;
  try {
    synthesise(
        options,
        [&](const ProgressReport& report) {
          if (report.done == 2) source.request_stop();
        },
        source.get_token());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
  EXPECT_FALSE(fs::exists(dir / "out/labels.csv"));
}

}  // namespace
}  // namespace actio::data
