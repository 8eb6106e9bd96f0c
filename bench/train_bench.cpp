// Images per second of training beside PyTorch: the same network, first weights, batches, precision, threads and optimiser,
// in actio's training loop and in bench/peers/train_torch.py. The losses of the first steps are compared before anything is
// timed; then the two take turns, each in a process of its own.
// Use: bench_train [rounds] [steps per round] [case...]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "net/initialise.h"
#include "net/weights.h"
#include "net/zoo.h"
#include "support/temp_dir.h"
#include "torch/trainer/trainer.h"

namespace {

using namespace actio;

double wall_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Of all threads of this process.
double cpu_seconds() {
  std::timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

constexpr std::int64_t kBatches = 4;  // that the steps take in turn
constexpr std::int64_t kClasses = 101;
constexpr std::int64_t kThreads = 2;
constexpr double kRate = 1e-4;  // at 1e-2 the peer alone differs from itself by 1e-3 in another memory layout
constexpr int kVerified = 3;    // steps, all on the first batch, so that the loss follows the updates
constexpr int kWarmUp = 2;      // steps of a process that are not counted

struct Case {
  std::string name, network;
  std::int64_t batch, size;
  bool bf16;
  double allowed;  // relative difference of the losses
};

// bfloat16 has 8 bits of precision, and the peer's autocast rounds in other places.
const std::vector<Case> kCases = {{"resnet50-f32", "resnet50", 16, 224, false, 2e-4},
                                  {"resnet50-bf16", "resnet50", 16, 224, true, 2e-2},
                                  {"mobilenet_v2-f32", "mobilenet_v2", 32, 160, false, 2e-4},
                                  {"mobilenet_v2-bf16", "mobilenet_v2", 32, 160, true, 2e-2}};

const Case& case_of(const std::string& name) {
  const auto found = std::ranges::find(kCases, name, &Case::name);
  if (found == kCases.end()) fail_usage("case '{}' is unknown", name);
  return *found;
}

net::NetSpec spec_of(const Case& each) {
  net::NetworkOptions options;
  options.network = "tsn";
  options.backbone = each.network;
  options.segments = 1;
  options.streams = "rgb";
  options.classes = kClasses;
  options.dropout_rgb = 0;
  Preprocess preprocess;
  preprocess.input_size = each.size;
  preprocess.motion = Motion::kNone;
  return net::build_network(options, preprocess);
}

void write_start(const Case& each, const std::string& folder) {
  TensorMap weights, batches;
  net::initialise(spec_of(each), nullptr, 7, weights);
  net::write_safetensors(folder + "/start.safetensors", weights);
  Rng rng(3);
  for (std::int64_t i = 0; i < kBatches; ++i) {
    Tensor x({each.batch, 3, each.size, each.size}), labels({each.batch}, DType::kI64);
    for (float& value : x.values<float>()) value = static_cast<float>(rng.normal());
    for (std::int64_t& label : labels.values<std::int64_t>()) label = rng.below(kClasses);
    batches[fmt::format("x{}", i)] = x;
    batches[fmt::format("labels{}", i)] = labels;
  }
  net::write_safetensors(folder + "/batches.safetensors", batches);
}

// The batches in turn; notes when each is asked for.
class MemorySource final : public torch_train::BatchSource {
 public:
  MemorySource(const std::string& folder, std::int64_t batches, std::int64_t steps_per_epoch)
      : steps_per_epoch_(steps_per_epoch) {
    const TensorMap tensors = net::read_safetensors(folder + "/batches.safetensors");
    for (std::int64_t i = 0; i < batches; ++i) {
      data::Batch batch;
      batch.inputs["rgb"] = tensors.at(fmt::format("x{}", i));
      const auto labels = tensors.at(fmt::format("labels{}", i)).values<std::int64_t>();
      batch.labels.assign(labels.begin(), labels.end());
      batch.paths.assign(batch.labels.size(), "random");
      batches_.push_back(batch);
    }
  }

  void start_epoch(std::int64_t) override { of_epoch_ = 0; }
  std::optional<data::Batch> next() override {
    asked.push_back({wall_seconds(), cpu_seconds()});
    if (of_epoch_++ == steps_per_epoch_) return std::nullopt;
    return batches_[static_cast<std::size_t>(step_++) % batches_.size()];
  }
  std::int64_t clips() const override {
    return steps_per_epoch_ * static_cast<std::int64_t>(batches_[0].labels.size());
  }

  struct Moment {
    double wall, cpu;
  };
  std::vector<Moment> asked;

 private:
  std::vector<data::Batch> batches_;
  std::int64_t steps_per_epoch_, of_epoch_ = 0, step_ = 0;
};

// What one process measured.
struct Steps {
  std::vector<double> losses, seconds, cpu;
};

// One epoch of actio's training loop on the first `batches` batches in turn.
void work(const Case& each, const std::string& folder, std::int64_t steps, std::int64_t batches) {
  torch_train::TrainJob job;
  job.spec = spec_of(each);
  job.options.epochs = 1;
  job.options.batch_size = each.batch;
  job.options.learning_rate = kRate;
  job.options.schedule = "constant";
  job.options.evaluate_every = 0;
  job.options.bf16 = each.bf16;
  job.options.threads = kThreads;
  std::vector<double> losses;
  job.on_step = [&](std::int64_t, double loss, double) { losses.push_back(loss); };
  TensorMap weights = net::read_safetensors(folder + "/start.safetensors");
  MemorySource source(folder, batches, steps);
  torch_train::train_on(job, weights, source, nullptr);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const MemorySource::Moment begin = source.asked[i], end = source.asked[i + 1];
    fmt::print("{:.9g} {:.6f} {:.6f}\n", losses[i], end.wall - begin.wall, end.cpu - begin.cpu);
  }
}

Steps run(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  if (!pipe) fail("{}: cannot be started", command);
  Steps steps;
  double loss = 0, seconds = 0, cpu = 0;
  while (std::fscanf(pipe.get(), "%lf %lf %lf", &loss, &seconds, &cpu) == 3) {
    steps.losses.push_back(loss);
    steps.seconds.push_back(seconds);
    steps.cpu.push_back(cpu);
  }
  return steps;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Both sides of a case as commands.
class Sides {
 public:
  Sides(const Case& each, std::string program) : case_(each), program_(std::move(program)) {
    write_start(each, dir_.path().string());
  }

  Steps own(std::int64_t steps, std::int64_t batches) const {
    const std::string folder = dir_.path().string();
    return checked(run(fmt::format("'{}' --worker {} '{}' {} {}", program_, case_.name, folder, steps, batches)), steps,
                   "actio");
  }

  // glibc keeps freed memory, as actio makes it do; by default the peer gets its tensors from the system anew in every step.
  Steps peer(std::int64_t steps, std::int64_t batches) const {
    return checked(run(fmt::format("MALLOC_MMAP_THRESHOLD_=2147483647 MALLOC_TRIM_THRESHOLD_=2147483647 /usr/bin/python3 -B "
                                   "'{}/bench/peers/train_torch.py' '{}' {} {} {} classes={} threads={} rate={} "
                                   "batches={} {}",
                                   ACTIO_SOURCE_DIR, dir_.path().string(), case_.network, case_.bf16 ? "bf16" : "f32", steps,
                                   kClasses, kThreads, kRate, batches, peer_settings())),
                   steps, "the peer");
  }

 private:
  static std::string peer_settings() {
    const char* settings = std::getenv("PEER_SETTINGS");
    return settings != nullptr ? settings : "";
  }

  static Steps checked(Steps steps, std::int64_t expected, const char* who) {
    const auto count = static_cast<std::int64_t>(steps.losses.size());
    if (count != expected) fail("{}: expected {} steps, got {}", who, expected, count);
    return steps;
  }

  const Case& case_;
  std::string program_;
  testing::TempDir dir_;
};

void verify(const Case& each, const Sides& sides) {
  const Steps own = sides.own(kVerified, 1), peer = sides.peer(kVerified, 1);
  fmt::print("{}: batch {}, {}x{}, {}; losses", each.name, each.batch, each.size, each.size, each.bf16 ? "bf16" : "f32");
  double worst = 0;
  for (std::size_t i = 0; i < own.losses.size(); ++i) {
    fmt::print(" {:.6f} ({:.6f})", own.losses[i], peer.losses[i]);
    const double difference = std::abs(own.losses[i] - peer.losses[i]) / std::abs(peer.losses[i]);
    worst = std::isfinite(difference) ? std::max(worst, difference) : HUGE_VAL;
  }
  fmt::print(", apart by {:.1e}\n", worst);
  if (worst > each.allowed) fail("{}: the losses are apart by {:.2g}, {:.2g} is allowed", each.name, worst, each.allowed);
}

// Of one side, one figure per round.
struct Figures {
  std::vector<double> images_per_second, images_per_cpu_second;

  void add(const Case& each, const Steps& steps) {
    const auto counted = [&](const std::vector<double>& times) {
      return static_cast<double>(each.batch) / median({times.begin() + kWarmUp, times.end()});
    };
    images_per_second.push_back(counted(steps.seconds));
    images_per_cpu_second.push_back(counted(steps.cpu));
  }
};

void print_ratio(const char* what, const std::vector<double>& own, const std::vector<double>& peer) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < own.size(); ++i) ratios.push_back(own[i] / peer[i]);
  const auto spread = [](const std::vector<double>& values) {
    const auto [low, high] = std::ranges::minmax(values);
    return fmt::format("{:.2f} ({:.2f} to {:.2f})", median(values), low, high);
  };
  fmt::print("  {}: actio {}, PyTorch {}, ratio {}\n", what, spread(own), spread(peer), spread(ratios));
}

void compare(const Case& each, const Sides& sides, std::int64_t rounds, std::int64_t steps) {
  Figures own, peer;
  for (std::int64_t round = 0; round < rounds; ++round) {
    own.add(each, sides.own(steps + kWarmUp, kBatches));
    peer.add(each, sides.peer(steps + kWarmUp, kBatches));
  }
  print_ratio("images/s", own.images_per_second, peer.images_per_second);
  print_ratio("images per second of a processor", own.images_per_cpu_second, peer.images_per_cpu_second);
}

int run_main(const std::vector<std::string>& arguments) {
  if (arguments.size() == 6 && arguments[1] == "--worker") {
    work(case_of(arguments[2]), arguments[3], std::atoll(arguments[4].c_str()), std::atoll(arguments[5].c_str()));
    return 0;
  }
  const std::int64_t rounds = arguments.size() > 1 ? std::atoll(arguments[1].c_str()) : 5;
  const std::int64_t steps = arguments.size() > 2 ? std::atoll(arguments[2].c_str()) : 6;
  if (rounds < 1 || steps < 1) fail_usage("rounds and steps: expected at least 1, got {} and {}", rounds, steps);
  fmt::print("{} threads, medians of {} rounds of {} steps\n", kThreads, rounds, steps);
  for (const Case& each : kCases) {
    if (arguments.size() > 3 && std::find(arguments.begin() + 3, arguments.end(), each.name) == arguments.end()) continue;
    const Sides sides(each, std::filesystem::read_symlink("/proc/self/exe").string());
    verify(each, sides);
    std::fflush(stdout);
    compare(each, sides, rounds, steps);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_main({argv, argv + argc});
  } catch (const actio::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
