#include "video_accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "motion/tvl1.h"
#include "support/synthetic_clip.h"
#include "video/decoder.h"

namespace actio::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kMargin = 16;   // pixels; blocks at the border see texture that was not there before
constexpr double kMoves = 1;  // pixels per frame

struct Codec {
  const char* name;
  const char* codec;
  const char* ending;
  int b_frames, references;
  std::vector<std::string> options;
};

const std::vector<Codec>& codecs() {
  static const std::vector<Codec> all{{"x264 CABAC, 3 B, 4 refs", "libx264", "mp4", 3, 4, {"b_strategy=0"}},
                                      {"mpeg4, 2 B", "mpeg4", "avi", 2, 1, {}},
                                      {"mpeg2video, 2 B", "mpeg2video", "mpg", 2, 1, {}}};
  return all;
}

constexpr std::pair<double, double> kMotions[] = {{1, 0},       {0, 1},        {2, 0},      {-3, 4},        {5, -2},
                                                  {0.25, -1.5}, {-1.25, 0.75}, {0.5, 0.25}, {-0.75, -2.25}, {3.75, 1.25}};

double median(std::vector<double> values) {
  if (values.empty()) return NAN;
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

// The flow from the frame before, at the place where things are now.
class Flow {
 public:
  explicit Flow(int threads) : threads_(threads) {}

  const Tensor& run(const Tensor& before, const Tensor& now) {
    const int width = static_cast<int>(now.dim(1)), height = static_cast<int>(now.dim(0));
    if (!solver_ || solver_->width() != width || solver_->height() != height) {
      solver_.emplace(width, height, motion::Tvl1Options{}, threads_);
      flow_ = Tensor({2, height, width});
    }
    solver_->run(now, before, flow_);
    for (float& value : flow_.values<float>()) value = -value;
    return flow_;
  }

 private:
  int threads_;
  std::optional<motion::Tvl1> solver_;
  Tensor flow_;
};

std::pair<double, double> mean_below(const Tensor& flow, const video::BlockVector& block) {
  const auto height = flow.dim(1), width = flow.dim(2);
  double x_sum = 0, y_sum = 0, count = 0;
  for (std::int64_t y = std::max<int>(0, block.y); y < std::min<std::int64_t>(height, block.y + block.height); ++y) {
    for (std::int64_t x = std::max<int>(0, block.x); x < std::min<std::int64_t>(width, block.x + block.width);
         ++x, ++count) {
      x_sum += flow.data<float>()[y * width + x];
      y_sum += flow.data<float>()[(height + y) * width + x];
    }
  }
  return count > 0 ? std::pair{x_sum / count, y_sum / count} : std::pair{0.0, 0.0};
}

struct Tally {
  std::vector<double> dx, dy;
  double blocks = 0, near = 0;        // within a quarter of a pixel of the truth
  double signs = 0, equal_signs = 0;  // of components that TV-L1 sees move

  void add(const video::BlockVector& block, const testing::SyntheticClip& clip) {
    dx.push_back(block.dx);
    dy.push_back(block.dy);
    ++blocks;
    near += std::abs(block.dx - clip.dx) <= 0.25 && std::abs(block.dy - clip.dy) <= 0.25;
  }
  void add_signs(const video::BlockVector& block, std::pair<double, double> flow) {
    for (const auto& [mine, other] : {std::pair<double, double>{block.dx, flow.first}, {block.dy, flow.second}}) {
      if (std::abs(other) < 0.2) continue;
      ++signs;
      equal_signs += mine * other > 0;
    }
  }
};

bool shows_texture(const video::BlockVector& block, const testing::SyntheticClip& clip) {
  if (block.x < testing::kIndexWidth + kMargin && block.y < testing::kIndexHeight + kMargin) return false;
  return block.x >= kMargin && block.y >= kMargin && block.x + block.width <= clip.width - kMargin &&
         block.y + block.height <= clip.height - kMargin;
}

void print_row(const Codec& codec, const testing::SyntheticClip& clip, const char* type, const Tally& tally) {
  const double x = median(tally.dx), y = median(tally.dy);
  const double error = std::max(std::abs(x - clip.dx), std::abs(y - clip.dy));
  fmt::print("| {} | {} | ({:.2f}, {:.2f}) | ({:.2f}, {:.2f}) | {:.2f} | {:.1f}% | {:.1f}% |{}\n", codec.name, type, clip.dx,
             clip.dy, x, y, error, 100 * tally.near / tally.blocks, 100 * tally.equal_signs / std::max(1.0, tally.signs),
             error <= 0.25 ? "" : " MISSED");
}

void print_clip(const Codec& codec, const testing::SyntheticClip& clip) {
  video::Decoder decoder(clip.path, {.vectors = true, .threads = 1});
  Tally p, b;
  Flow flow(2);
  Tensor before;
  while (const auto frame = decoder.next()) {
    Tensor now = frame->grey();
    // TV-L1 is slow, and the texture moves alike in all frames.
    const bool compare = before.defined() && frame->index > 12 && frame->index < 18 && !frame->vectors.empty();
    const Tensor* field = compare ? &flow.run(before, now) : nullptr;
    Tally& tally = frame->type == video::FrameType::kB ? b : p;
    for (const video::BlockVector& block : frame->vectors) {
      if (!shows_texture(block, clip)) continue;
      tally.add(block, clip);
      if (field) tally.add_signs(block, mean_below(*field, block));
    }
    before = std::move(now);
  }
  print_row(codec, clip, "P", p);
  print_row(codec, clip, "B", b);
}

struct Cosines {
  double sum = 0, blocks = 0, equal_signs = 0, signs = 0;

  void add(const video::BlockVector& block, std::pair<double, double> flow) {
    const double mine = std::hypot(block.dx, block.dy), other = std::hypot(flow.first, flow.second);
    if (mine <= kMoves || other <= kMoves) return;
    sum += (block.dx * flow.first + block.dy * flow.second) / (mine * other);
    ++blocks;
    for (const auto& [a, c] : {std::pair<double, double>{block.dx, flow.first}, {block.dy, flow.second}}) {
      if (std::abs(a) <= kMoves || std::abs(c) <= kMoves) continue;
      ++signs;
      equal_signs += a * c > 0;
    }
  }
  void add(const Cosines& other) {
    sum += other.sum;
    blocks += other.blocks;
    signs += other.signs;
    equal_signs += other.equal_signs;
  }
};

void print_cosines(const std::string& name, const char* type, const Cosines& cosines) {
  if (cosines.blocks == 0) return;
  fmt::print("| {} | {} | {:.0f} | {:.3f} | {:.1f}% |\n", name, type, cosines.blocks, cosines.sum / cosines.blocks,
             100 * cosines.equal_signs / std::max(1.0, cosines.signs));
}

struct Agreement {
  Cosines p, b;
};

// Of every `step` frames, one is compared with TV-L1.
Agreement agreement_of(const std::string& path, std::int64_t step) {
  video::Decoder decoder(path, {.vectors = true, .threads = 1});
  Agreement agreement;
  Flow flow(2);
  Tensor before;
  while (const auto frame = decoder.next()) {
    const std::int64_t phase = frame->index % step;
    if (phase < step - 2) continue;
    Tensor now = frame->grey();
    if (before.defined() && phase == step - 1 && !frame->vectors.empty()) {
      const Tensor& field = flow.run(before, now);
      Cosines& cosines = frame->type == video::FrameType::kB ? agreement.b : agreement.p;
      for (const video::BlockVector& block : frame->vectors) cosines.add(block, mean_below(field, block));
    }
    before = std::move(now);
  }
  return agreement;
}

}  // namespace

void print_accuracy(const std::string& folder) {
  fmt::print(
      "| clip | frames | moves by | median vector | off by | within 0.25 | signs as TV-L1 "
      "|\n|---|---|---|---|---|---|---|\n");
  for (const Codec& codec : codecs()) {
    for (const auto& [dx, dy] : kMotions) {
      testing::SyntheticClip clip;
      clip.path = (fs::path(folder) / fmt::format("accuracy.{}", codec.ending)).string();
      clip.codec = codec.codec;
      clip.frames = 25;
      clip.width = 176;
      clip.height = 144;
      clip.dx = dx;
      clip.dy = dy;
      clip.b_frames = codec.b_frames;
      clip.references = codec.references;
      clip.codec_options = codec.options;
      if (clip.codec != "libx264") clip.quality = 3;
      testing::write_synthetic_clip(clip);
      print_clip(codec, clip);
    }
  }
}

void print_agreement(const std::string& shared) {
  fmt::print("| clip | frames | moving blocks | mean cosine | equal signs |\n|---|---|---|---|---|\n");
  for (const char* name : {"ucf101_v_ApplyEyeMakeup_g01_c01.avi", "mmaction2_demo_arm_wrestling.mp4"}) {
    const Agreement agreement = agreement_of(shared + "/data/clips/" + name, 1);
    print_cosines(name, "P", agreement.p);
    print_cosines(name, "B", agreement.b);
  }
  std::ifstream list(shared + "/data/ut_interaction/labels.csv");
  if (!list) fail("{}/data/ut_interaction/labels.csv: cannot be opened", shared);
  std::string line;
  std::getline(list, line);
  Agreement all;
  int clips = 0;
  for (int number = 0; std::getline(list, line); ++number) {
    if (number % 5 != 0) continue;
    const Agreement agreement = agreement_of(shared + "/data/ut_interaction/" + line.substr(0, line.find(',')), 5);
    all.p.add(agreement.p);
    all.b.add(agreement.b);
    ++clips;
  }
  const std::string name = fmt::format("UT-Interaction, {} of 120 clips", clips);
  print_cosines(name, "P", all.p);
  print_cosines(name, "B", all.b);
}

}  // namespace actio::bench
