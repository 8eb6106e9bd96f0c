// The block search beside the codec's own vectors and OpenCV's DIS flow, on consecutive frames of a real clip: how well each
// of them makes a frame out of the one before, how far the search's vectors are from the codec's, and the time of a pair.
// Nothing is timed where the search compensates worse than it should. Use: bench_block_search CLIP [pairs] [avx2]
#include <fmt/format.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <opencv2/video/tracking.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/process_memory.h"
#include "motion/block_search.h"
#include "motion/flow_ops.h"
#include "video/decoder.h"

namespace {

using namespace actio;

constexpr double kDifferenceAllowed = 1.02;  // times what the codec's vectors leave; the codec knew a better reference

struct Picture {
  Tensor grey;  // u8 [H, W]
  std::vector<video::BlockVector> vectors;
};

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::vector<Picture> read_clip(const std::string& path, int count) {
  video::DecoderOptions options;
  options.vectors = options.vectors_optional = true;
  video::Decoder decoder(path, options);
  std::vector<Picture> pictures;
  while (static_cast<int>(pictures.size()) < count) {
    auto frame = decoder.next();
    if (!frame) break;
    pictures.push_back({frame->grey(), std::move(frame->vectors)});
  }
  if (pictures.size() < 2) fail("{}: at least two frames are needed", path);
  return pictures;
}

int width_of(const Picture& picture) { return static_cast<int>(picture.grey.dim(1)); }
int height_of(const Picture& picture) { return static_cast<int>(picture.grey.dim(0)); }

motion::GreyPicture grey_of(const Picture& picture) { return {picture.grey.data<std::uint8_t>(), picture.grey.dim(1)}; }

cv::Mat mat_of(const Picture& picture) {
  return {height_of(picture), width_of(picture), CV_8U, const_cast<std::byte*>(picture.grey.raw())};
}

// A displacement for each pixel. Of two vectors for one place the mean is taken.
cv::Mat paint(const std::vector<video::BlockVector>& vectors, int width, int height) {
  cv::Mat sum(height, width, CV_32FC2, cv::Scalar::all(0)), count(height, width, CV_32F, cv::Scalar::all(0));
  for (const auto& v : vectors) {
    for (int y = std::max<int>(v.y, 0); y < std::min(v.y + v.height, height); ++y) {
      for (int x = std::max<int>(v.x, 0); x < std::min(v.x + v.width, width); ++x) {
        sum.at<cv::Vec2f>(y, x) += cv::Vec2f(v.dx, v.dy);
        count.at<float>(y, x) += 1;
      }
    }
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) sum.at<cv::Vec2f>(y, x) /= std::max(count.at<float>(y, x), 1.0F);
  }
  return sum;
}

// Mean absolute difference of `current` and `previous` moved by the field, sampled between pixels.
double left_over(const Picture& previous, const Picture& current, const cv::Mat& field) {
  const int width = width_of(current), height = height_of(current);
  const auto* from = previous.grey.data<std::uint8_t>();
  const auto* to = current.grey.data<std::uint8_t>();
  double sum = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto& d = field.at<cv::Vec2f>(y, x);
      const float px = std::clamp(static_cast<float>(x) - d[0], 0.0F, static_cast<float>(width - 1));
      const float py = std::clamp(static_cast<float>(y) - d[1], 0.0F, static_cast<float>(height - 1));
      const int ix = std::min(static_cast<int>(px), width - 2), iy = std::min(static_cast<int>(py), height - 2);
      const float fx = px - static_cast<float>(ix), fy = py - static_cast<float>(iy);
      const auto* p = from + iy * width + ix;
      const float top = (1 - fx) * p[0] + fx * p[1], bottom = (1 - fx) * p[width] + fx * p[width + 1];
      sum += std::abs((1 - fy) * top + fy * bottom - to[y * width + x]);
    }
  }
  return sum / (width * height);
}

// Mean length of their difference: over all pixels, and over those where `b` is longer than half a pixel.
std::pair<double, double> distance(const cv::Mat& a, const cv::Mat& b) {
  double sum = 0, moving_sum = 0, moving = 0;
  for (int y = 0; y < a.rows; ++y) {
    for (int x = 0; x < a.cols; ++x) {
      const cv::Vec2f other = b.at<cv::Vec2f>(y, x);
      const double length = cv::norm(a.at<cv::Vec2f>(y, x) - other);
      sum += length;
      if (cv::norm(other) <= 0.5) continue;
      moving_sum += length;
      ++moving;
    }
  }
  return {sum / (a.rows * a.cols), moving > 0 ? moving_sum / moving : 0};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double thread_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

// Of this thread alone, so that other programs on the processor do not count; both sides work in one thread.
template <typename Work>
double milliseconds(Work work) {
  const double start = thread_milliseconds();
  work();
  return thread_milliseconds() - start;
}

void check_clip(const std::vector<Picture>& pictures) {
  const int width = width_of(pictures[0]), height = height_of(pictures[0]);
  motion::BlockSearch search(width, height);
  const auto peer = cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_ULTRAFAST);
  std::vector<video::BlockVector> vectors;
  const cv::Mat none(height, width, CV_32FC2, cv::Scalar::all(0));
  double still = 0, codec = 0, own = 0, dense = 0, apart = 0, apart_moving = 0, blocks = 0, codec_length = 0, own_length = 0;
  double own_from_dense = 0, codec_from_dense = 0;
  int pairs = 0;
  for (std::size_t i = 1; i < pictures.size(); ++i) {
    const Picture &previous = pictures[i - 1], &current = pictures[i];
    search.run(grey_of(previous), grey_of(current), vectors);
    if (current.vectors.empty()) continue;
    cv::Mat flow;
    peer->calc(mat_of(current), mat_of(previous), flow);
    const cv::Mat theirs = paint(current.vectors, width, height), ours = paint(vectors, width, height);
    still += left_over(previous, current, none);
    codec += left_over(previous, current, theirs);
    own += left_over(previous, current, ours);
    dense += left_over(previous, current, -flow);
    const auto [all, moving] = distance(ours, theirs);
    apart += all;
    apart_moving += moving;
    codec_length += distance(theirs, none).first;
    own_length += distance(ours, none).first;
    blocks += static_cast<double>(vectors.size());
    own_from_dense += distance(ours, -flow).first;
    codec_from_dense += distance(theirs, -flow).first;
    ++pairs;
  }
  if (pairs == 0) {
    fmt::print("no frame has vectors of the codec: only times\n");
    return;
  }
  fmt::print("mean difference of grey, {} pairs: zero motion {:.3f}, codec {:.3f}, search {:.3f}, DIS {:.3f}\n", pairs,
             still / pairs, codec / pairs, own / pairs, dense / pairs);
  fmt::print(
      "search from codec: {:.3f} pixels, {:.3f} where the codec's are longer than 0.5; mean length {:.3f} (search), {:.3f} "
      "(codec); {:.0f} blocks\n",
      apart / pairs, apart_moving / pairs, own_length / pairs, codec_length / pairs, blocks / pairs);
  fmt::print("from DIS: search {:.3f} pixels, codec {:.3f}\n", own_from_dense / pairs, codec_from_dense / pairs);
  if (!(own <= kDifferenceAllowed * codec))
    fail("the search compensates worse than the codec: {} and {}", own / pairs, codec / pairs);
}

void time_clip(const std::vector<Picture>& pictures) {
  cv::setNumThreads(1);
  motion::BlockSearch search(width_of(pictures[0]), height_of(pictures[0]));
  const auto peer = cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_ULTRAFAST);
  std::vector<video::BlockVector> vectors;
  cv::Mat flow;
  std::vector<double> own_ms, peer_ms;
  for (std::size_t i = 1; i < pictures.size(); ++i) {
    const cv::Mat first = mat_of(pictures[i - 1]), second = mat_of(pictures[i]);
    own_ms.push_back(milliseconds([&] { search.run(grey_of(pictures[i - 1]), grey_of(pictures[i]), vectors); }));
    peer_ms.push_back(milliseconds([&] { peer->calc(second, first, flow); }));
  }
  std::vector<double> sorted = own_ms;
  std::ranges::sort(sorted);
  fmt::print(
      "a pair, one thread: search {:.3f} ms (9 of 10 below {:.3f}, worst {:.3f}); OpenCV's DIS, ultrafast {:.3f} ms "
      "({:.1f}x)\n",
      median(own_ms), sorted[sorted.size() * 9 / 10], sorted.back(), median(peer_ms), median(peer_ms) / median(own_ms));
}

}  // namespace

int main(int argc, char** argv) {
  actio::keep_freed_memory();  // as the programs do
  try {
    if (argc < 2) fail_usage("use: bench_block_search CLIP [pairs] [avx2]");
    if (argc > 3 && std::string(argv[3]) == "avx2") hwy::DisableTargets(HWY_AVX2 - 1);
    const auto pictures = read_clip(argv[1], 1 + (argc > 2 ? std::max(1, std::atoi(argv[2])) : 100));
    fmt::print("{}, {}, {}x{}, {} pairs, medians\n", cpu_name(), motion::flow_ops_target(), width_of(pictures[0]),
               height_of(pictures[0]), pictures.size() - 1);
    check_clip(pictures);
    time_clip(pictures);
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
