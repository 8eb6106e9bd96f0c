// What the loader needs and gives over a long run: clips per second and resident memory while clips are sampled again and
// again from real or synthetic videos. First the batches of one and of several threads are compared, byte for byte. Use:
// loader_bench [clips] [threads] [folder per class or CSV file]
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/process_memory.h"
#include "core/rng.h"
#include "data/loader.h"
#include "video/encoder.h"

namespace {

using namespace actio;
using Clock = std::chrono::steady_clock;

constexpr double kAllowedGrowth = 0.05;
constexpr std::int64_t kVideos = 48, kPoints = 20;

// "VmRSS" is what is resident now, "VmHWM" the most that ever was.
double status_mib(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":")) return std::atof(line.c_str() + key.size() + 1) / 1024;
  }
  fail("/proc/self/status has no {}", key);
}

// Textures that move, in three codecs, of different lengths.
std::vector<data::Item> make_videos(const std::filesystem::path& folder) {
  std::vector<data::Item> items;
  for (std::int64_t i = 0; i < kVideos; ++i) {
    const char* const codecs[] = {"libx264", "mpeg4", "mpeg2video"};
    const char* const endings[] = {"mp4", "avi", "mpg"};
    const std::string path = folder / fmt::format("{:02}.{}", i, endings[i % 3]);
    video::EncoderOptions options;
    options.codec = codecs[i % 3];
    options.width = 96;
    options.height = 80;
    options.quality = i % 3 == 0 ? 23 : 4;
    video::Encoder encoder(path, options);
    Tensor rgb({options.height, options.width, 3}, DType::kU8);
    for (std::int64_t t = 0; t < 20 + i; ++t) {
      for (std::int64_t at = 0; at < rgb.numel(); ++at) {
        rgb.data<std::uint8_t>()[at] = static_cast<std::uint8_t>(((at / 3 + 2 * t) * (1 + i % 5)) % 251);
      }
      encoder.write(rgb);
    }
    encoder.close();
    items.push_back({path, "x", i % 7, {}, {}});
  }
  return items;
}

data::ClipRequest make_request() {
  data::ClipRequest request;
  request.segments = 3;
  request.inputs = inputs_of({"rgb", "motion"}, {.input_size = 64, .short_side = 73, .motion = Motion::kVectors});
  request.sampling = data::Sampling::kRandom;
  request.augment = true;
  return request;
}

std::string hash_of_epoch(const std::vector<data::Item>& items, std::int64_t threads) {
  data::Loader loader(items, make_request(), {.batch_size = 8, .threads = threads});
  std::string text;
  while (const auto batch = loader.next()) {
    for (const auto& [name, tensor] : batch->inputs) text += content_hash({tensor.raw(), tensor.bytes()});
    text += fmt::format("{}\n", fmt::join(batch->paths, " "));
  }
  return content_hash(std::as_bytes(std::span(text)));
}

int run(std::int64_t clips, std::int64_t threads, const std::string& source) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("actio-loader-bench-{}", getpid());
  std::filesystem::create_directories(folder);
  const std::vector<data::Item> items = source.empty() ? make_videos(folder) : data::load_dataset(source).items;
  const std::string expected = hash_of_epoch(items, 1);
  for (const std::int64_t other : {2, 4}) {
    if (hash_of_epoch(items, other) == expected) continue;
    fmt::print("FAILED: {} threads give other batches than one\n", other);
    return 1;
  }
  fmt::print("batches of 1, 2 and 4 threads: equal ({}); {} videos, {} threads\n", expected.substr(0, 12), items.size(),
             threads);

  data::Loader loader(items, make_request(), {.batch_size = 8, .threads = threads});
  std::int64_t seen = 0, next_point = clips / kPoints;
  double peak_of_first_quarter = 0, half_sums[2] = {0, 0};
  std::int64_t half_counts[2] = {0, 0};
  const auto start = Clock::now();
  for (std::int64_t epoch = 0; seen < clips; ++epoch) {
    loader.start_epoch(epoch);
    while (const auto batch = loader.next()) {
      seen += static_cast<std::int64_t>(batch->labels.size());
      const double now = status_mib("VmRSS");
      if (4 * seen <= clips) peak_of_first_quarter = status_mib("VmHWM");
      half_sums[2 * seen > clips] += now;
      ++half_counts[2 * seen > clips];
      if (seen < next_point) continue;
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      fmt::print("{:7} clips  {:8.1f} MiB resident  {:7.1f} clips/s\n", seen, now, static_cast<double>(seen) / seconds);
      next_point += clips / kPoints;
    }
  }
  std::filesystem::remove_all(folder);
  const double first = half_sums[0] / static_cast<double>(half_counts[0]);
  const double second = half_sums[1] / static_cast<double>(half_counts[1]);
  const double peak = status_mib("VmHWM");
  const double mean_growth = second / first - 1, peak_growth = peak / peak_of_first_quarter - 1;
  fmt::print("resident memory, mean: {:.1f} MiB in the first half, {:.1f} in the second: {:+.1f} % (allowed {:+.0f} %)\n",
             first, second, 100 * mean_growth, 100 * kAllowedGrowth);
  fmt::print("resident memory, peak: {:.1f} MiB in the first quarter, {:.1f} at the end: {:+.1f} % (allowed {:+.0f} %)\n",
             peak_of_first_quarter, peak, 100 * peak_growth, 100 * kAllowedGrowth);
  return mean_growth <= kAllowedGrowth && peak_growth <= kAllowedGrowth ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  actio::keep_freed_memory();  // as the programs do
  try {
    return run(argc > 1 ? std::atoll(argv[1]) : 20000, argc > 2 ? std::atoll(argv[2]) : 2, argc > 3 ? argv[3] : "");
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
