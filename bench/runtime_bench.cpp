// Images per second of the networks that actio deploys, on the oneDNN backend. Each network's output is first compared with
// the reference backend's; nothing is timed before that. Use: runtime_bench [threads] [seconds per figure]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/process_memory.h"
#include "net/initialise.h"
#include "net/zoo.h"
#include "runtime/bench.h"
#include "runtime/compile.h"

namespace {

using namespace actio;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kSize = 224;
constexpr double kAllowed = 1e-4;  // of the largest reference value

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

struct Case {
  net::NetSpec spec;
  TensorMap weights;
};

Case make_case(const std::string& network, const std::string& backbone, std::int64_t segments) {
  net::NetworkOptions options;
  options.network = value_named<net::NetworkKind>("network", network);
  options.backbone = value_named<net::BackboneKind>("backbone", backbone);
  options.segments = segments;
  options.streams = "rgb";
  Preprocess preprocess;
  preprocess.input_size = kSize;
  preprocess.motion = network == "tsn" ? Motion::kNone : Motion::kVectors;
  Case made{net::build_network(options, preprocess), {}};
  net::initialise(made.spec, nullptr, 7, made.weights);
  return made;
}

// The largest difference over the largest reference value, of every output.
double worst_error(const TensorMap& actual, const TensorMap& expected) {
  double worst = 0;
  for (const auto& [name, tensor] : expected) {
    const auto a = actual.at(name).values<float>(), b = tensor.values<float>();
    double scale = 0, difference = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
      scale = std::max(scale, std::abs(static_cast<double>(b[i])));
      difference = std::max(difference, std::abs(static_cast<double>(a[i]) - b[i]));
      if (!(std::abs(a[i]) < 1e30F)) return HUGE_VAL;
    }
    worst = std::max(worst, difference / scale);
  }
  return worst;
}

template <typename Work>
double median_ms(double seconds, Work work) {
  std::vector<double> times;
  const auto begin = Clock::now();
  while (times.size() < 5 || milliseconds_since(begin) < seconds * 1000) {
    const auto start = Clock::now();
    work();
    times.push_back(milliseconds_since(start));
  }
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

void bench_case(const std::string& name, const Case& made, std::int64_t threads, double seconds) {
  const std::int64_t segments = made.spec.segments;
  const TensorMap clip = runtime::noise_for(made.spec, segments);
  const auto slow_start = Clock::now();
  const TensorMap expected = runtime::compile(made.spec, made.weights, {"reference", 0})->run(clip);
  const double slow = milliseconds_since(slow_start);

  const auto start = Clock::now();
  const auto classifier = runtime::compile(made.spec, made.weights, {"onednn", threads});
  const double error = worst_error(classifier->run(clip), expected);
  const double first = milliseconds_since(start);
  if (!(error <= kAllowed)) fail("{}: the output is off by {:.2g} of its range, {:.2g} is allowed", name, error, kAllowed);
  fmt::print("{}: verified, off by {:.1e} of the largest value; reference {:.0f} ms; compile and first run {:.0f} ms\n",
             name, error, slow, first);

  const double whole = median_ms(seconds, [&] { classifier->run(clip); });
  fmt::print("  clip of {} snippets        {:8.2f} ms  {:7.1f} snippets/s\n", segments, whole,
             1000 * static_cast<double>(segments) / whole);
  for (const std::int64_t rows : {1, 4, 16}) {
    const TensorMap snippets = runtime::noise_for(made.spec, rows);
    const double time = median_ms(seconds, [&] { classifier->run_snippets(snippets); });
    fmt::print("  {:2} snippets at once        {:8.2f} ms  {:7.1f} snippets/s\n", rows, time,
               1000 * static_cast<double>(rows) / time);
  }
}

}  // namespace

int main(int argc, char** argv) {
  actio::keep_freed_memory();  // as the programs do
  try {
    const std::int64_t threads = argc > 1 ? std::atoll(argv[1]) : 2;
    const double seconds = argc > 2 ? std::atof(argv[2]) : 3;
    fmt::print("{}, {} threads, medians, {}x{} pixels, f32\n", cpu_name(), threads, kSize, kSize);
    bench_case("tsn(resnet50), rgb", make_case("tsn", "resnet50", 1), threads, seconds);
    bench_case("tsn(mobilenet_v2), rgb", make_case("tsn", "mobilenet_v2", 1), threads, seconds);
    bench_case("if_ttn(mobilenet_v2)", make_case("if_ttn", "mobilenet_v2", 7), threads, seconds);
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
