#include "data/synthetic.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "core/cores.h"
#include "core/error.h"
#include "core/file.h"
#include "core/rng.h"
#include "data/csv.h"
#include "data/synthetic/clip.h"
#include "video/encoder.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

using synthetic::kActionPairs;

struct ClipJob {
  std::string label, group, path;  // path: below the folder
  std::size_t pair = 0;
  bool backward = false;
  std::int64_t number = 0;
  bool test = false;
  int width = 0, height = 0, gop = 0, quality = 0;  // found when it is made
  std::int64_t frames = 0;
};

void check(const SynthesisOptions& options) {
  if (options.out.empty()) fail_usage("synthetic clips need a folder to go to");
  if (options.clips_per_class < 1) fail_usage("clips_per_class must be 1 or more, got {}", options.clips_per_class);
  if (!(options.test_share >= 0 && options.test_share <= 1)) {
    fail_usage("test_share must be between 0 and 1, got {}", options.test_share);
  }
  const auto range = [](std::string_view what, std::int64_t low, std::int64_t high, std::int64_t least) {
    if (low < least || high > 4096 || low > high)
      fail_usage("{} must be {}..4096 and in order, got {}..{}", what, least, low, high);
  };
  range("width", options.min_width, options.max_width, 64);
  range("height", options.min_height, options.max_height, 64);
  range("frames", options.min_frames, options.max_frames, 8);
  std::error_code code;
  if (fs::exists(options.out, code) && !fs::is_empty(options.out, code)) {
    fail_usage("{}: is not empty; synthetic clips go to a folder of their own", options.out);
  }
}

std::set<std::string> chosen_classes(const SynthesisOptions& options) {
  const std::vector<std::string> known = synthetic_classes();
  if (options.classes.empty()) return {known.begin(), known.end()};
  for (const std::string& name : options.classes) {
    if (std::ranges::find(known, name) == known.end()) fail_usage("{}", unknown_name_text("class", name, known));
  }
  return {options.classes.begin(), options.classes.end()};
}

// The numbers of the clips that are for testing: the same for every class.
std::set<std::int64_t> test_numbers(const SynthesisOptions& options) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 1; i <= options.clips_per_class; ++i) numbers.push_back(i);
  Rng rng(static_cast<std::uint64_t>(options.seed), 0x7465737473ULL);
  rng.shuffle(numbers);
  const auto count = std::lround(options.test_share * static_cast<double>(options.clips_per_class));
  return {numbers.begin(), numbers.begin() + count};
}

std::vector<ClipJob> plan(const SynthesisOptions& options) {
  const std::set<std::string> classes = chosen_classes(options);
  const std::set<std::int64_t> test = test_numbers(options);
  std::vector<ClipJob> jobs;
  for (std::size_t pair = 0; pair < kActionPairs.size(); ++pair) {
    for (const bool backward : {false, true}) {
      const std::string label(backward ? kActionPairs[pair].backward : kActionPairs[pair].forward);
      if (!classes.contains(label)) continue;
      for (std::int64_t number = 1; number <= options.clips_per_class; ++number) {
        const std::string group = fmt::format("g{:03}", number);
        jobs.push_back({.label = label,
                        .group = group,
                        .path = fmt::format("{0}/{0}_{1}.mp4", label, group),
                        .pair = pair,
                        .backward = backward,
                        .number = number,
                        .test = test.contains(number)});
      }
    }
  }
  return jobs;
}

// Every frame gets the same quantiser and the same rounding whatever its type and place, so that the first frame and key
// frames hardly look better than the rest.
constexpr const char* kEvenQuality = "ipratio=1:pbratio=1:mbtree=0:qcomp=1:deadzone-inter=11:deadzone-intra=11";

void make_clip(ClipJob& job, const SynthesisOptions& options) {
  const auto seed = static_cast<std::uint64_t>(options.seed);
  const std::uint64_t scene_stream = (job.pair << 40) + static_cast<std::uint64_t>(job.number) * 4;
  const Rng scene(seed, scene_stream);
  Rng camera(seed, scene_stream + 1 + (job.backward ? 1 : 0));
  job.gop = static_cast<int>(10 + camera.below(21));
  job.quality = static_cast<int>(18 + camera.below(11));
  const synthetic::ClipSize size{options.min_width,  options.max_width,  options.min_height,
                                 options.max_height, options.min_frames, options.max_frames};
  synthetic::Clip clip(job.pair, job.backward, size, scene, camera);
  job.width = clip.width();
  job.height = clip.height();
  job.frames = clip.frames();
  video::EncoderOptions encoding;
  encoding.width = job.width;
  encoding.height = job.height;
  encoding.gop = job.gop;
  encoding.quality = job.quality;
  encoding.codec_options = {"preset=veryfast", fmt::format("x264-params={}", kEvenQuality)};
  video::Encoder encoder((fs::path(options.out) / job.path).string(), encoding);
  clip.render([&](const Tensor& rgb) { encoder.write(rgb); });
  encoder.close();
}

// Makes the clips on several threads; the first thing that goes wrong ends the work and is thrown.
void make_clips(std::vector<ClipJob>& jobs, const SynthesisOptions& options, const ProgressFn& progress,
                const std::stop_token& stop) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::int64_t done = 0;
  std::exception_ptr failure;
  const auto work = [&] {
    while (!stop.stop_requested()) {
      const std::size_t index = next.fetch_add(1);
      if (index >= jobs.size()) return;
      try {
        make_clip(jobs[index], options);
        const std::lock_guard lock(mutex);
        ++done;
        if (progress) progress({"making clips", done, static_cast<std::int64_t>(jobs.size()), jobs[index].label});
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = jobs.size();
      }
    }
  };
  const std::int64_t threads = std::clamp<std::int64_t>(options.threads > 0 ? options.threads : core_count(), 1, 256);
  {
    std::vector<std::jthread> workers;
    for (std::int64_t i = 0; i < threads; ++i) workers.emplace_back(work);
  }
  if (failure) std::rethrow_exception(failure);
  if (stop.stop_requested())
    fail(ErrorCode::kInterrupted, "{}: stopped after {} of {} clips", options.out, done, jobs.size());
}

std::string labels_text(const std::vector<ClipJob>& jobs) {
  std::string text = "path,label,group,pair,part,width,height,frames,gop,quality\n";
  for (const ClipJob& job : jobs) {
    const auto& pair = kActionPairs[job.pair];
    text +=
        fmt::format("{},{},{},{}/{},{},{},{},{},{},{}\n", csv_field(job.path), csv_field(job.label), job.group, pair.forward,
                    pair.backward, job.test ? "test" : "train", job.width, job.height, job.frames, job.gop, job.quality);
  }
  return text;
}

}  // namespace

Fields SynthesisOptions::fields() {
  return {
      {"out", &out, "folder to write to; must be empty", {}},
      {"classes", &classes, "classes to make; empty: all", synthetic_classes()},
      {"clips_per_class", &clips_per_class, "clips of each class", {}, 1, 1e6},
      {"seed", &seed, "same seed, same clips", {}},
      {"test_share", &test_share, "share of the clips marked as test in the column part", {}, 0, 1},
      {"min_width", &min_width, "smallest width, pixels", {}, 64, 4096},
      {"max_width", &max_width, "largest width, pixels", {}, 64, 4096},
      {"min_height", &min_height, "smallest height, pixels", {}, 64, 4096},
      {"max_height", &max_height, "largest height, pixels", {}, 64, 4096},
      {"min_frames", &min_frames, "fewest frames", {}, 8, 4096},
      {"max_frames", &max_frames, "most frames", {}, 8, 4096},
      {"threads", &threads, "clips made at the same time; 0: as many as cores", {}, 0, 256},
  };
}

std::vector<std::string> synthetic_classes() {
  std::vector<std::string> names;
  for (const auto& pair : kActionPairs) {
    names.emplace_back(pair.forward);
    names.emplace_back(pair.backward);
  }
  return names;
}

SynthesisReport synthesise(const SynthesisOptions& options, const ProgressFn& progress, std::stop_token stop) {
  check(options);
  std::vector<ClipJob> jobs = plan(options);
  SynthesisReport report;
  for (const ClipJob& job : jobs) {
    if (!report.classes.empty() && report.classes.back() == job.label) continue;
    report.classes.push_back(job.label);
    std::error_code code;
    fs::create_directories(fs::path(options.out) / job.label, code);
    if (code) fail("{}: cannot be made: {}", (fs::path(options.out) / job.label).string(), code.message());
  }
  make_clips(jobs, options, progress, stop);
  for (const ClipJob& job : jobs) {
    ++(job.test ? report.test : report.train);
    report.frames += job.frames;
  }
  report.clips = static_cast<std::int64_t>(jobs.size());
  report.labels_csv = (fs::path(options.out) / "labels.csv").string();
  write_file_atomically(report.labels_csv, labels_text(jobs));
  return report;
}

}  // namespace actio::data
