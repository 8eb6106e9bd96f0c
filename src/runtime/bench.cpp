#include "runtime/bench.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "net/describe.h"
#include "runtime/compiled_network.h"
#include "runtime/ranges_on.h"
#include "runtime/timing.h"

namespace actio::runtime {
namespace {

constexpr int kFewestRounds = 7, kRepeatsOfSteps = 7;

double error_of(const Tensor& actual, const Tensor& expected) {
  const auto ours = actual.values<float>(), theirs = expected.values<float>();
  double most = 0, difference = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    if (!std::isfinite(ours[i])) return HUGE_VAL;
    most = std::max(most, std::abs(static_cast<double>(theirs[i])));
    difference = std::max(difference, std::abs(static_cast<double>(ours[i]) - theirs[i]));
  }
  return difference / std::max(most, 1e-30);
}

TensorMap first_snippet(const TensorMap& clip) {
  TensorMap snippet;
  for (const auto& [name, value] : clip) snippet[name] = value.rows(0, 1);
  return snippet;
}

class Bench {
 public:
  Bench(const net::NetSpec& spec, const TensorMap& weights, const net::Quantization& quantization, const BenchRequest& request, const Hooks& hooks)
      : spec_(spec), weights_(weights), quantization_(quantization), request_(request), hooks_(hooks), clip_(request.inputs) {
    if (!clip_.empty()) return;
    clip_ = noise_for(spec, spec.segments);
    const bool int8 = std::ranges::any_of(request.settings, [&](const RunOptions& setting) {
      return chosen_precision(setting.precision, quantization, setting.backend) == Precision::kInt8;
    });
    // What is noise reaches farther than any video.
    if (int8) quantization_.ranges = ranges_on(spec, weights, clip_);
  }

  BenchOutcome run() {
    const net::Description description = net::describe(spec_);
    outcome_ = {spec_.name, spec_.segments, description.clip_multiply_adds, {}};
    for (const RunOptions& setting : request_.settings) prepare(setting);
    if (request_.verify) verify();
    time_clips();
    for (std::size_t i = 0; i < networks_.size(); ++i) time_parts(i);
    return std::move(outcome_);
  }

 private:
  void prepare(RunOptions setting) {
    BenchRow row;
    row.setting = setting;
    setting.precision = chosen_precision(setting.precision, quantization_, setting.backend);
    row.compile_seconds = seconds_of([&] {
      networks_.push_back(CompiledNetwork::compile(spec_, weights_, setting, {}, quantization_.ranges));
      sessions_.push_back(networks_.back()->session());
    });
    row.precision = networks_.back()->attributes().precision;
    row.results = sessions_.back()->run(clip_);
    outcome_.rows.push_back(std::move(row));
  }

  void verify() {
    if (hooks_.progress) hooks_.progress({"verifying", 0, 0, ""});
    const Tensor expected = CompiledNetwork::compile(spec_, weights_, {.backend = "reference"})->session()->run(clip_).at(spec_.scores);
    for (BenchRow& row : outcome_.rows) {
      row.error = error_of(row.results.at(spec_.scores), expected);
      if (row.error <= allowed_error(row.precision)) continue;
      fail("{} by {} in {}: the scores are off by {:.2g} of the largest, {:.2g} is allowed: nothing was timed", spec_.name, row.setting.backend,
           name_of(row.precision), row.error, allowed_error(row.precision));
    }
  }

  void time_clips() {
    std::vector<std::vector<double>> times(networks_.size()), speeds(networks_.size());
    TensorMap results;
    double spent = 0;
    const double whole = request_.seconds * static_cast<double>(networks_.size());
    for (int round = 0; round < kFewestRounds || spent < whole; ++round) {
      throw_if_stopped(hooks_.stop);
      for (std::size_t i = 0; i < networks_.size(); ++i) {
        times[i].push_back(seconds_of([&] { sessions_[i]->run(clip_, results); }));
        spent += times[i].back();
        speeds[i].push_back(times[0].back() / times[i].back());
      }
      if (hooks_.progress) hooks_.progress({"timing", static_cast<std::int64_t>(1000 * std::min(spent, whole)), static_cast<std::int64_t>(1000 * whole), ""});
    }
    const auto spread = [](const std::vector<double>& values) { return Spread{quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)}; };
    for (std::size_t i = 0; i < networks_.size(); ++i) {
      outcome_.rows[i].clip = spread(times[i]);
      outcome_.rows[i].speed = spread(speeds[i]);
    }
  }

  void time_parts(std::size_t i) {
    BenchRow& row = outcome_.rows[i];
    row.gflops = 2e-9 * static_cast<double>(outcome_.clip_multiply_adds) / row.clip.median;
    const TensorMap snippet = first_snippet(clip_);
    TensorMap results;
    row.snippet_seconds = median_seconds(kFewestRounds, [&] { sessions_[i]->run_snippets(snippet, results); });
    for (const StepTime& step : networks_[i]->time_steps(kRepeatsOfSteps)) {
      row.kinds[step.kind] += step.seconds;
      if (step.kind.ends_with("convolution")) row.bare_seconds += step.seconds;
    }
  }

  const net::NetSpec& spec_;
  const TensorMap& weights_;
  net::Quantization quantization_;
  const BenchRequest& request_;
  const Hooks& hooks_;
  TensorMap clip_;
  BenchOutcome outcome_;
  std::vector<std::shared_ptr<const CompiledNetwork>> networks_;
  std::vector<std::unique_ptr<net::Classifier>> sessions_;
};

Json to_json(const Spread& spread) { return {{"low", spread.low}, {"median", spread.median}, {"high", spread.high}}; }

}  // namespace

TensorMap noise_for(const net::NetSpec& spec, std::int64_t rows) {
  TensorMap inputs;
  Rng rng(3);
  for (const net::Node& node : spec.nodes) {
    if (node.op != net::Op::kInput) continue;
    Shape shape = node.attrs.shape;
    shape.insert(shape.begin(), rows);
    Tensor& input = inputs[node.name] = Tensor(shape);
    for (float& value : input.values<float>()) value = static_cast<float>(rng.normal());
  }
  return inputs;
}

double allowed_error(Precision precision) { return precision == Precision::kInt8 ? 0.5 : precision == Precision::kBf16 ? 0.1 : 1e-4; }

BenchOutcome bench(const net::NetSpec& spec, const TensorMap& weights, const net::Quantization& quantization, const BenchRequest& request,
                   const Hooks& hooks) {
  return Bench(spec, weights, quantization, request, hooks).run();
}

Json to_json(const BenchOutcome& outcome) {
  Json rows = Json::array();
  for (const BenchRow& row : outcome.rows) {
    rows.push_back({{"backend", row.setting.backend},
                    {"device", row.setting.device},
                    {"threads", row.setting.threads},
                    {"asked", name_of(row.setting.precision)},
                    {"precision", name_of(row.precision)},
                    {"error", row.error},
                    {"compile_seconds", row.compile_seconds},
                    {"clip_seconds", to_json(row.clip)},
                    {"speed", to_json(row.speed)},
                    {"snippet_seconds", row.snippet_seconds},
                    {"bare_convolution_seconds", row.bare_seconds},
                    {"kinds", row.kinds},
                    {"gflops", row.gflops}});
  }
  return {{"network", outcome.network},
          {"segments", outcome.segments},
          {"clip_multiply_adds", outcome.clip_multiply_adds},
          {"processor", processor_text()},
          {"engine", engine_text()},
          {"settings", std::move(rows)}};
}

std::string text_of(const BenchOutcome& outcome) {
  std::string text = fmt::format("{}, {} snippets, {:.2f} G multiply-adds a clip; {}, {}\n", outcome.network, outcome.segments,
                                 1e-9 * static_cast<double>(outcome.clip_multiply_adds), processor_text(), engine_text());
  for (const BenchRow& row : outcome.rows) {
    text += fmt::format("{} {}, {} threads: a clip {:.2f} ms ({:.2f} to {:.2f}), {:.2f}x ({:.2f} to {:.2f}); a snippet {:.2f} ms; {:.0f} GFLOP/s\n",
                        row.setting.backend, name_of(row.precision), row.setting.threads, 1e3 * row.clip.median, 1e3 * row.clip.low, 1e3 * row.clip.high,
                        row.speed.median, row.speed.low, row.speed.high, 1e3 * row.snippet_seconds, row.gflops);
    text += fmt::format("  off by {:.1e} of the largest score; compiled in {:.0f} ms\n", row.error, 1e3 * row.compile_seconds);
    if (row.kinds.empty()) continue;
    text += fmt::format("  convolutions by themselves take {:.2f} of the clip's time; of a clip, each by itself:", row.bare_seconds / row.clip.median);
    for (const auto& [kind, seconds] : row.kinds) text += fmt::format(" {} {:.2f} ms,", kind, 1e3 * seconds);
    text.back() = '\n';
  }
  text.pop_back();
  return text;
}

}  // namespace actio::runtime
