// What decoding costs: some frames of a clip against all, and motion vectors against none. Before anything is timed, the
// frames of both ways are compared. `accuracy` and `agreement` look at the vectors themselves. Use:
//   bench_video sparse [seconds]            synthetic clips
//   bench_video vectors [shared] [seconds]  synthetic clips, and real ones where the folder is named
//   bench_video accuracy                    synthetic clips of a known motion
//   bench_video agreement shared            real clips and TV-L1
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/process_memory.h"
#include "support/synthetic_clip.h"
#include "video/decoder.h"
#include "video_accuracy.h"

namespace {

using namespace actio;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Indices = std::vector<std::int64_t>;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

// Runs both by turns, so that what else the machine does hits both.
struct Pair {
  double first = 0, second = 0;  // medians, milliseconds
  double ratio = 0;              // median of second / first
};

template <typename First, typename Second>
Pair alternate(double seconds, First first, Second second) {
  std::vector<double> a, b, ratios;
  const auto begin = Clock::now();
  while (a.size() < 7 || milliseconds_since(begin) < seconds * 1000) {
    const bool swapped = a.size() % 2 == 1;
    const auto run = [](auto& work) {
      const auto start = Clock::now();
      work();
      return milliseconds_since(start);
    };
    const double early = swapped ? run(second) : run(first), late = swapped ? run(first) : run(second);
    a.push_back(swapped ? late : early);
    b.push_back(swapped ? early : late);
    ratios.push_back(b.back() / a.back());
  }
  return {median(a), median(b), median(ratios)};
}

std::uint64_t checksum(const video::Frame& frame) {
  std::uint64_t sum = 1469598103934665603ULL;
  const auto add = [&](std::uint64_t value) { sum = (sum ^ value) * 1099511628211ULL; };
  add(static_cast<std::uint64_t>(frame.index));
  add(static_cast<std::uint64_t>(frame.pts));
  const Tensor rgb = frame.rgb();
  for (const std::uint8_t byte : rgb.values<std::uint8_t>()) add(byte);
  for (const video::BlockVector& block : frame.vectors) {
    add(static_cast<std::uint64_t>(block.x) << 32 | static_cast<std::uint32_t>(block.y));
    add(static_cast<std::uint64_t>(static_cast<std::int64_t>(1000 * block.dx)));
    add(static_cast<std::uint64_t>(static_cast<std::int64_t>(1000 * block.dy)));
  }
  return sum;
}

// Decodes up to the last wanted frame. `visit` sees the wanted ones.
template <typename Visit>
video::DecodeCounters read(const std::string& path, const Indices& wanted, bool sparse, bool vectors, Visit visit) {
  video::Decoder decoder(path, {.vectors = vectors, .threads = 1});
  if (sparse) decoder.select({wanted, false});
  while (const auto frame = decoder.next()) {
    if (std::ranges::binary_search(wanted, frame->index)) visit(*frame);
    if (frame->index >= wanted.back()) break;
  }
  return decoder.counters();
}

void bench_selection(const std::string& name, const std::string& path, const Indices& wanted, bool vectors, double seconds) {
  std::vector<std::uint64_t> expected, actual;
  const auto through =
      read(path, wanted, false, vectors, [&](const video::Frame& frame) { expected.push_back(checksum(frame)); });
  const auto sparse =
      read(path, wanted, true, vectors, [&](const video::Frame& frame) { actual.push_back(checksum(frame)); });
  if (expected != actual || actual.size() != wanted.size())
    fail("{}: the wanted frames differ from those of a whole decode", name);
  const auto nothing = [](const video::Frame&) {};
  const Pair time = alternate(
      seconds, [&] { read(path, wanted, false, vectors, nothing); }, [&] { read(path, wanted, true, vectors, nothing); });
  fmt::print("{:<34} {:<5} {:>3} {:>7.2f} ms {:>4} frames {:>7.2f} ms {:>4} frames {:>2} seeks  ratio {:.3f}\n", name,
             vectors ? "yes" : "no", wanted.size(), time.first, through.frames, time.second, sparse.frames, sparse.seeks,
             time.ratio);
}

double scan_ms(const std::string& path, double seconds) {
  const Pair time = alternate(
      seconds, [&] { video::Decoder decoder(path); },
      [&] {
        video::Decoder decoder(path);
        decoder.exact_frames();
      });
  return time.second - time.first;
}

testing::SyntheticClip clip_at(const fs::path& path, const std::string& codec, int gop) {
  testing::SyntheticClip clip;
  clip.path = path.string();
  clip.codec = codec;
  clip.frames = 300;
  clip.width = 320;
  clip.height = 240;
  clip.dx = 1.25;
  clip.dy = -0.5;
  clip.gop = gop;
  clip.b_frames = codec == "libx264" ? 3 : 2;
  clip.references = codec == "libx264" ? 4 : 1;
  clip.quality = codec == "libx264" ? 23 : 4;
  return clip;
}

Indices snippets(std::int64_t each) {
  Indices wanted;
  for (std::int64_t k = 0; k < 7; ++k) {
    for (std::int64_t l = 0; l < each; ++l) wanted.push_back(300 * (2 * k + 1) / 14 + l);
  }
  return wanted;
}

void bench_sparse(const fs::path& folder, double seconds) {
  fmt::print("7 snippets of 300 frames, 320 x 240: decoding up to the last one, and decoding what they need\n");
  fmt::print("clip, vectors, frames wanted, decoding through, sparse\n");
  for (const auto& [codec, ending] : {std::pair{"libx264", "mp4"}, {"mpeg4", "avi"}, {"mpeg2video", "mpg"}}) {
    for (const int gop : {12, 600}) {
      const std::string name = fmt::format("{} in {}, {}", codec, ending, gop == 12 ? "a key every 12" : "one key frame");
      const testing::SyntheticClip clip = clip_at(folder / fmt::format("{}_{}.{}", codec, gop, ending), codec, gop);
      testing::write_synthetic_clip(clip);
      for (const bool vectors : {false, true}) {
        bench_selection(name, clip.path, snippets(1), vectors, seconds);
        bench_selection(name, clip.path, snippets(6), vectors, seconds);
      }
      fmt::print("{:<34} scan of {} packets, {} kB: {:.2f} ms\n", name, 300, fs::file_size(clip.path) / 1000,
                 scan_ms(clip.path, seconds));
    }
  }
  // No B-frame can be left out here, so only the scan's cost remains, if there is a scan.
  for (const auto& [codec, ending] : {std::pair{"libx264", "mp4"}, {"mpeg4", "avi"}}) {
    testing::SyntheticClip plain = clip_at(folder / fmt::format("p_only.{}", ending), codec, 600);
    plain.b_frames = 0;
    testing::write_synthetic_clip(plain);
    for (const bool vectors : {false, true}) {
      bench_selection(fmt::format("{}, one key frame, P only", codec), plain.path, snippets(1), vectors, seconds);
    }
  }
}

struct Count {
  std::int64_t frames = 0, vectors = 0;
};

Count decode(const std::string& path, bool vectors) {
  video::Decoder decoder(path, {.vectors = vectors, .threads = 1});
  Count count;
  while (const auto frame = decoder.next()) {
    ++count.frames;
    count.vectors += static_cast<std::int64_t>(frame->vectors.size());
  }
  return count;
}

void bench_vectors_of(const std::string& name, const std::string& path, double seconds) {
  std::vector<std::uint64_t> plain, with;
  for (const bool vectors : {false, true}) {
    video::Decoder decoder(path, {.vectors = vectors, .threads = 1});
    while (auto frame = decoder.next()) {
      frame->vectors.clear();
      (vectors ? with : plain).push_back(checksum(*frame));
    }
  }
  if (plain != with) fail("{}: the frames differ where vectors are read", name);
  const Count count = decode(path, true);
  const Pair time = alternate(
      seconds, [&] { decode(path, false); }, [&] { decode(path, true); });
  fmt::print("{:<44} {:>4} frames {:>7} vectors {:>8.2f} ms, with vectors {:>8.2f} ms, ratio {:.3f}\n", name, count.frames,
             count.vectors, time.first, time.second, time.ratio);
}

void bench_vectors(const fs::path& folder, const std::string& shared, double seconds) {
  fmt::print("decoding a whole clip on one thread, without and with vectors\n");
  for (const auto& [width, height] : {std::pair{320, 240}, {640, 360}}) {
    testing::SyntheticClip clip = clip_at(folder / fmt::format("{}.mp4", width), "libx264", 250);
    clip.frames = 150;
    clip.width = width;
    clip.height = height;
    testing::write_synthetic_clip(clip);
    bench_vectors_of(fmt::format("H.264 {} x {}, 3 B-frames, 4 references", width, height), clip.path, seconds);
  }
  if (shared.empty()) return;
  for (const char* name : {"clips/ucf101_v_ApplyEyeMakeup_g01_c01.avi", "ut_interaction/set1/4_1_0.avi",
                           "clips/mmaction2_demo_arm_wrestling.mp4"}) {
    bench_vectors_of(fs::path(name).filename().string(), shared + "/data/" + name, seconds);
  }
}

}  // namespace

int main(int argc, char** argv) {
  actio::keep_freed_memory();  // as the programs do
  const std::string mode = argc > 1 ? argv[1] : "";
  const fs::path folder =
      fs::temp_directory_path() / fmt::format("actio-video-bench-{}", Clock::now().time_since_epoch().count());
  int code = 0;
  try {
    fs::create_directories(folder);
    fmt::print("{}, one thread, medians of alternating runs\n", cpu_name());
    if (mode == "sparse") {
      bench_sparse(folder, argc > 2 ? std::atof(argv[2]) : 2);
    } else if (mode == "vectors") {
      bench_vectors(folder, argc > 2 ? argv[2] : "", argc > 3 ? std::atof(argv[3]) : 3);
    } else if (mode == "accuracy") {
      bench::print_accuracy(folder.string());
    } else if (mode == "agreement" && argc > 2) {
      bench::print_agreement(argv[2]);
    } else {
      fail_usage("bench_video: expected 'sparse', 'vectors', 'accuracy' or 'agreement' and a folder");
    }
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    code = error.exit_code();
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return code;
}
