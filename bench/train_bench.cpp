// Images per second of training beside PyTorch: the same network, first weights, batches, precision, threads and optimiser,
// in actio's training loop and in bench/peers/train_torch.py. The losses of the first steps are compared before anything is
// timed; then the two take turns, each in a process of its own.
// Use: bench_train [--device cpu|cuda] [--python PROGRAM] [--peer FILE] [--clips N] [--pixels N] [rounds] [steps per round]
// [case...]
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
#include <set>
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
constexpr double kRate = 1e-4;  // at 1e-2 the peer alone differs from itself by 1e-3 in another memory layout
constexpr int kVerified = 3;    // steps, all on the first batch, so that the loss follows the updates
constexpr int kWarmUp = 2;      // steps of a process that are not counted

struct Case {
  std::string name, network, backbone, precision;
  std::int64_t clips, segments, pixels;
  double allowed;  // relative difference of the losses

  std::int64_t images() const { return clips * segments; }  // of each stream
};

// bfloat16 has 8 bits of precision, tf32 11, and the peer rounds in other places.
const std::vector<Case> kCpuCases = {{"resnet50-f32", "tsn", "resnet50", "f32", 16, 1, 224, 2e-4},
                                     {"resnet50-bf16", "tsn", "resnet50", "bf16", 16, 1, 224, 2e-2},
                                     {"mobilenet_v2-f32", "tsn", "mobilenet_v2", "f32", 32, 1, 160, 2e-4},
                                     {"mobilenet_v2-bf16", "tsn", "mobilenet_v2", "bf16", 32, 1, 160, 2e-2}};
const std::vector<Case> kCudaCases = {{"tsn-resnet50-f32", "tsn", "resnet50", "f32", 32, 3, 224, 2e-4},
                                      {"tsn-resnet50-tf32", "tsn", "resnet50", "tf32", 32, 3, 224, 5e-3},
                                      {"tsn-resnet50-bf16", "tsn", "resnet50", "bf16", 32, 3, 224, 2e-2},
                                      {"tsn-mobilenet_v2-tf32", "tsn", "mobilenet_v2", "tf32", 32, 3, 224, 5e-3},
                                      {"tsn-mobilenet_v2-bf16", "tsn", "mobilenet_v2", "bf16", 32, 3, 224, 2e-2},
                                      {"if_ttn-resnet50-tf32", "if_ttn", "resnet50", "tf32", 32, 3, 224, 5e-3},
                                      {"if_ttn-resnet50-bf16", "if_ttn", "resnet50", "bf16", 32, 3, 224, 2e-2},
                                      {"if_ttn-mobilenet_v2-tf32", "if_ttn", "mobilenet_v2", "tf32", 32, 3, 224, 5e-3},
                                      {"if_ttn-mobilenet_v2-bf16", "if_ttn", "mobilenet_v2", "bf16", 32, 3, 224, 2e-2}};

struct Options {
  std::string device = "cpu", python = "/usr/bin/python3", peer = ACTIO_SOURCE_DIR "/bench/peers/train_torch.py";
  std::int64_t clips = 0, pixels = 0;  // instead of the cases' own
  std::int64_t rounds = 5, steps = 6;
  std::set<std::string> wanted;  // cases; empty: the device's

  std::int64_t threads() const { return device == "cpu" ? 2 : 0; }
};

Case case_of(const std::string& name, const Options& options) {
  for (const auto* cases : {&kCpuCases, &kCudaCases}) {
    const auto found = std::ranges::find(*cases, name, &Case::name);
    if (found == cases->end()) continue;
    Case each = *found;
    if (options.clips > 0) each.clips = options.clips;
    if (options.pixels > 0) each.pixels = options.pixels;
    return each;
  }
  fail_usage("case '{}' is unknown", name);
}

net::NetSpec spec_of(const Case& each) {
  net::NetworkOptions options;
  options.network = value_named<net::NetworkKind>("network", each.network);
  options.backbone = value_named<net::BackboneKind>("backbone", each.backbone);
  options.segments = each.segments;
  options.streams = each.network == "tsn" ? "rgb" : "both";
  options.classes = kClasses;
  options.dropout_rgb = options.dropout_motion = options.dropout_ttn = 0;
  Preprocess preprocess;
  preprocess.input_size = each.pixels;
  preprocess.motion = each.network == "tsn" ? Motion::kNone : Motion::kVectors;
  return net::build_network(options, preprocess);
}

void write_start(const Case& each, const std::string& folder) {
  TensorMap weights, batches;
  const net::NetSpec spec = spec_of(each);
  net::initialise(spec, nullptr, 7, weights);
  net::write_safetensors(folder + "/start.safetensors", weights);
  std::ofstream(folder + "/network.json") << net::to_json(spec);
  Rng rng(3);
  for (std::int64_t i = 0; i < kBatches; ++i) {
    for (const std::string& name : net::input_names(spec)) {
      Tensor x({each.images(), spec.node(name).attrs.shape[0], each.pixels, each.pixels});
      for (float& value : x.values<float>()) value = static_cast<float>(rng.normal());
      batches[fmt::format("{}{}", name, i)] = x;
    }
    Tensor labels({each.clips}, DType::kI64);
    for (std::int64_t& label : labels.values<std::int64_t>()) label = rng.below(kClasses);
    batches[fmt::format("labels{}", i)] = labels;
  }
  net::write_safetensors(folder + "/batches.safetensors", batches);
}

// The batches in turn; notes when each is asked for.
class MemorySource final : public torch_train::BatchSource {
 public:
  MemorySource(const net::NetSpec& spec, const std::string& folder, std::int64_t batches, std::int64_t steps_per_epoch)
      : steps_per_epoch_(steps_per_epoch) {
    const TensorMap tensors = net::read_safetensors(folder + "/batches.safetensors");
    for (std::int64_t i = 0; i < batches; ++i) {
      data::Batch batch;
      for (const std::string& name : net::input_names(spec)) batch.inputs[name] = tensors.at(fmt::format("{}{}", name, i));
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
  std::int64_t clips() const override { return steps_per_epoch_ * static_cast<std::int64_t>(batches_[0].labels.size()); }

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
void work(const Case& each, const Options& options, const std::string& folder, std::int64_t steps, std::int64_t batches) {
  torch_train::TrainJob job;
  job.spec = spec_of(each);
  job.options.epochs = 1;
  job.options.batch_size = each.clips;
  job.options.learning_rate = kRate;
  job.options.schedule = training::RateSchedule::kConstant;
  job.options.evaluate_every = 0;
  job.options.bf16 = each.precision == "bf16";
  job.options.tf32 = each.precision == "tf32";
  job.options.device = value_named<training::Device>("device", options.device);
  job.options.threads = options.threads();
  std::vector<double> losses;
  job.on_step = [&](std::int64_t, double loss, double) { losses.push_back(loss); };
  TensorMap weights = net::read_safetensors(folder + "/start.safetensors");
  MemorySource source(job.spec, folder, batches, steps);
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
  Sides(const Case& each, const Options& options, std::string program)
      : case_(each), options_(options), program_(std::move(program)) {
    write_start(each, dir_.path().string());
  }

  Steps own(std::int64_t steps, std::int64_t batches) const {
    const std::string folder = dir_.path().string();
    return checked(run(fmt::format("'{}' --device {} --clips {} --pixels {} --worker {} '{}' {} {}", program_,
                                   options_.device, case_.clips, case_.pixels, case_.name, folder, steps, batches)),
                   steps, "actio");
  }

  // glibc keeps freed memory, as actio makes it do; by default the peer gets its tensors from the system anew in every step.
  Steps peer(std::int64_t steps, std::int64_t batches) const {
    const std::string network = case_.network == "tsn" ? case_.backbone : "spec";
    return checked(
        run(fmt::format("MALLOC_MMAP_THRESHOLD_=2147483647 MALLOC_TRIM_THRESHOLD_=2147483647 '{}' -B '{}' '{}' {} {} {} "
                        "device={} segments={} classes={} threads={} rate={} batches={} {}",
                        options_.python, options_.peer, dir_.path().string(), network, case_.precision, steps,
                        options_.device, case_.segments, kClasses, options_.threads(), kRate, batches, peer_settings())),
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
  const Options& options_;
  std::string program_;
  testing::TempDir dir_;
};

void verify(const Case& each, const Sides& sides) {
  const Steps own = sides.own(kVerified, 1), peer = sides.peer(kVerified, 1);
  fmt::print("{}: {} clips of {}, {}x{}, {}; losses", each.name, each.clips, each.segments, each.pixels, each.pixels,
             each.precision);
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
      return static_cast<double>(each.images()) / median({times.begin() + kWarmUp, times.end()});
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

void compare(const Case& each, const Sides& sides, const Options& options) {
  Figures own, peer;
  for (std::int64_t round = 0; round < options.rounds; ++round) {
    own.add(each, sides.own(options.steps + kWarmUp, kBatches));
    peer.add(each, sides.peer(options.steps + kWarmUp, kBatches));
  }
  print_ratio("images/s", own.images_per_second, peer.images_per_second);
  print_ratio("images per second of a processor", own.images_per_cpu_second, peer.images_per_cpu_second);
}

// Takes the flags away from the arguments.
Options read_flags(std::vector<std::string>& arguments) {
  Options options;
  std::vector<std::string> rest;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--worker" || !arguments[i].starts_with("--")) {
      rest.push_back(arguments[i]);
      continue;
    }
    if (i + 1 == arguments.size()) fail_usage("{}: its value is missing", arguments[i]);
    const std::string flag = arguments[i], value = arguments[++i];
    if (flag == "--device")
      options.device = value;
    else if (flag == "--python")
      options.python = value;
    else if (flag == "--peer")
      options.peer = value;
    else if (flag == "--clips")
      options.clips = std::atoll(value.c_str());
    else if (flag == "--pixels")
      options.pixels = std::atoll(value.c_str());
    else
      fail_usage("'{}' is unknown", flag);
  }
  arguments = rest;
  return options;
}

int run_main(std::vector<std::string> arguments) {
  Options options = read_flags(arguments);
  if (arguments.size() == 5 && arguments[0] == "--worker") {
    work(case_of(arguments[1], options), options, arguments[2], std::atoll(arguments[3].c_str()),
         std::atoll(arguments[4].c_str()));
    return 0;
  }
  if (!arguments.empty()) options.rounds = std::atoll(arguments[0].c_str());
  if (arguments.size() > 1) options.steps = std::atoll(arguments[1].c_str());
  if (arguments.size() > 2) options.wanted.insert(arguments.begin() + 2, arguments.end());
  if (options.rounds < 1 || options.steps < 1)
    fail_usage("rounds and steps: expected at least 1, got {} and {}", options.rounds, options.steps);
  if (options.wanted.empty()) {
    for (const Case& each : options.device == "cpu" ? kCpuCases : kCudaCases) options.wanted.insert(each.name);
  }
  int failures = 0;
  fmt::print("{}, medians of {} rounds of {} steps\n", options.device == "cpu" ? "2 threads" : options.device,
             options.rounds, options.steps);
  for (const std::string& name : options.wanted) {
    try {
      const Case each = case_of(name, options);
      const Sides sides(each, options, std::filesystem::read_symlink("/proc/self/exe").string());
      verify(each, sides);
      std::fflush(stdout);
      compare(each, sides, options);
    } catch (const Error& error) {  // the other cases are measured all the same
      fmt::print("{}\n", error.what());
      ++failures;
    }
    std::fflush(stdout);
  }
  return failures == 0 ? 0 : 1;
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
