#include "training/recipe/estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "training/first_weights.h"

namespace actio::training {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kBatches = 3;  // of an epoch

// Seconds a clip.
struct Rate {
  double first = 0;  // where its features are computed, too
  double step = 0;
};

std::vector<data::Item> some_of(const std::vector<data::Item>& items, std::int64_t wanted) {
  const auto count = std::min<std::size_t>(items.size(), static_cast<std::size_t>(wanted));
  std::vector<data::Item> some;
  for (std::size_t i = 0; i < count; ++i) some.push_back(items[i * items.size() / count]);
  return some;
}

double least_gap(const std::vector<double>& times, std::size_t from, std::size_t to) {
  double least = 1e300;
  for (std::size_t i = std::max<std::size_t>(from, 1); i < to; ++i) least = std::min(least, times[i] - times[i - 1]);
  return least;
}

bool keeps_features(const TrainOptions& options) { return options.cache_views > 0 && !options.freeze.empty(); }

// The network with random weights, as the first weights let it be.
TrainJob job_of(TrainSpec spec, const std::vector<std::string>& init, const data::Dataset& dataset, net::Model& model) {
  for (std::size_t i = init.size(); i-- > 0;) adopt_settings_of(init[i], spec);
  spec.network.classes = static_cast<std::int64_t>(dataset.classes.size());
  model.classes = dataset.classes;
  initialise_model({}, true, spec, model);
  TrainJob job;
  job.spec = model.spec;
  job.inputs = model.inputs;
  job.options = spec.train;
  job.flow_cache = model.inputs.has(InputKind::kFlow) ? spec.cache.flow_cache : "";
  job.limits = spec.read;
  return job;
}

Rate measure(Trainer& trainer, TrainJob job, TensorMap& weights, const std::vector<data::Item>& clips, const Hooks& hooks) {
  const bool keeps = keeps_features(job.options), twice = keeps || !job.flow_cache.empty();
  job.train = some_of(clips, kBatches * job.options.batch_size);
  job.options.batch_size = std::max<std::int64_t>(1, std::min<std::int64_t>(job.options.batch_size, static_cast<std::int64_t>(job.train.size()) / kBatches));
  job.options.accumulate = 1;
  job.options.epochs = twice ? 2 : 1;
  job.options.cache_views = keeps ? 1 : 0;
  job.options.early_stop = 0;
  job.options.fit_heads = HeadFit::kNone;
  job.stop = hooks.stop;
  job.progress = hooks.progress;
  std::vector<double> times;
  const Clock::time_point start = Clock::now();
  job.on_step = [&](std::int64_t, double, double) { times.push_back(std::chrono::duration<double>(Clock::now() - start).count()); };
  const TrainResult result = trainer.train(job, weights);
  throw_if_stopped(hooks.stop);
  const std::size_t steps = twice ? times.size() / 2 : times.size();
  const auto batch = static_cast<double>(job.options.batch_size);
  if (steps < 2) return times.empty() ? Rate{} : Rate{times.back() / batch, times.back() / batch};
  const double first = least_gap(times, 1, steps);
  return {first / batch, twice ? std::min(first, least_gap(times, steps + 1, times.size())) / batch : first / batch};
}

double seconds_of(const Rate& rate, const TrainOptions& options, std::size_t train, std::size_t others) {
  const auto clips = static_cast<double>(train);
  const auto epochs = static_cast<double>(options.epochs);
  // Flow that is kept is computed in the first epoch alone.
  const double views = std::min(keeps_features(options) ? static_cast<double>(options.cache_views) : 1.0, epochs);
  return clips * (views * rate.first + (epochs - views) * rate.step) + static_cast<double>(others) * rate.first / 2;
}

std::string quantity(double value, const char* unit) {
  const auto whole = std::max<long>(1, std::lround(value));
  return fmt::format("about {} {}{}", whole, unit, whole == 1 ? "" : "s");
}

}  // namespace

double TimeEstimate::seconds() const {
  double once = 0;
  for (const StageTime& stage : stages) once += stage.seconds;
  return once * (1 + static_cast<double>(trainings - 1) * inner_share);
}

TimeEstimate estimate_time(const TrainRequest& request, const data::Dataset& dataset, const data::Split& split, Trainer& trainer,
                           const Hooks& hooks) {
  const std::vector<TrainSpec> specs =
      request.stages.empty() ? std::vector{request.spec} : resolve(request.spec, request.stages, request.settings, request.config);
  TimeEstimate estimate;
  for (const TrainSpec& spec : specs) {
    net::Model model;
    TrainJob job = job_of(spec, request.init, dataset, model);
    const TrainOptions options = job.options;
    const Rate rate = measure(trainer, std::move(job), model.weights, split.train, hooks);
    estimate.stages.push_back({model.spec.name, seconds_of(rate, options, split.train.size(), split.validation.size() + split.test.size())});
  }
  const TrainOptions& last = specs.back().train;
  if (last.fit_heads == HeadFit::kInner) {
    estimate.trainings = 1 + last.fit_parts;
    estimate.inner_share = 1 - 1 / static_cast<double>(last.fit_parts);
  }
  return estimate;
}

std::string duration_text(double seconds) {
  if (seconds < 90) return quantity(seconds, "second");
  if (seconds < 90 * 60) return quantity(seconds / 60, "minute");
  return quantity(seconds / 3600, "hour");
}

}  // namespace actio::training
