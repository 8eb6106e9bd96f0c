#include "recognize/quantize.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/output_check.h"
#include "eval/calibration.h"
#include "eval/metrics.h"
#include "recognize/evaluation.h"
#include "recognize/range_meter.h"
#include "recognize/recognizer.h"
#include "runtime/backends.h"

namespace actio::recognize {
namespace {

using runtime::Precision;

struct Clips {
  std::vector<data::Item> to_measure, to_compare;
};

// Spread evenly over the list, so that every class has its share.
Clips choose(const std::vector<data::Item>& items, std::int64_t each, const std::string& data) {
  if (items.size() < 2) fail_usage("{}: {} clips that are not for testing; at least 2 are needed", data, items.size());
  const std::size_t count = std::min(items.size(), 2 * static_cast<std::size_t>(each));
  Clips clips;
  for (std::size_t i = 0; i < count; ++i) {
    (i % 2 == 0 ? clips.to_measure : clips.to_compare).push_back(items[i * items.size() / count]);
  }
  return clips;
}

class Quantizer {
 public:
  Quantizer(const QuantizeRequest& request, const Hooks& hooks) : request_(request), hooks_(hooks) {}

  Quantized run() {
    check_output(request_.output, {request_.model, request_.data});
    const std::string& backend = request_.runtime.backend;
    if (!runtime::backend_named(backend).takes_auto) fail_usage("quantize measures what --precision auto chooses from; with backend {} that is f32 alone", backend);
    const data::Dataset dataset = data::load_dataset(request_.data, request_.dataset);
    result_.warnings = dataset.warnings;
    result_.of_training = data::is_divided(dataset, request_.dataset);
    const Clips clips = choose(result_.of_training ? data::divide(dataset, request_.dataset).train : dataset.items, request_.quantize.clips, request_.data);
    result_.model = net::read_model(request_.model);
    result_.labelled = std::ranges::all_of(clips.to_compare, [&](const data::Item& item) {
      return std::ranges::find(result_.model.classes, item.label) != result_.model.classes.end();
    });
    total_ = static_cast<std::int64_t>(clips.to_measure.size() + clips.to_compare.size());
    measure(clips.to_measure);
    compare(clips.to_compare);
    record();
    result_.model.parent_hash = result_.model.hash;
    net::write_model(request_.output, result_.model);
    return std::move(result_);
  }

 private:
  RecognizeOptions options_of(Precision precision, bool narrow_weights) const {
    RecognizeOptions options;
    options.run = request_.runtime;
    options.run.precision = precision;
    options.run.narrow_weights = narrow_weights;
    options.read.flow_cache = request_.cache.flow_cache;
    options.read.limits = request_.limits;
    return options;
  }

  void progress(const char* what) {
    if (hooks_.progress) hooks_.progress({what, ++done_, total_, ""});
  }

  // Calls `use` for what `recognizer` reads of each clip; one that cannot be read is counted.
  template <typename Use>
  void for_each(const Recognizer& recognizer, const std::vector<data::Item>& items, const char* what, Use use) {
    for (const data::Item& item : items) {
      try {
        use(item, recognizer.read(item.path, 0, hooks_.stop).inputs);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kInterrupted) throw;
        result_.failures.push_back(error.what());
      }
      progress(what);
    }
  }

  void measure(const std::vector<data::Item>& items) {
    RecognizeOptions options = options_of(Precision::kF32, false);
    options.keep = runtime::values_to_measure(result_.model.spec);
    const Recognizer recognizer(result_.model, request_.model, options);
    std::map<std::string, RangeMeter> meters;
    for_each(recognizer, items, "measuring ranges", [&](const data::Item&, const TensorMap& inputs) {
      for (const TensorMap& view : recognizer.recognize(inputs, hooks_.stop).kept) {
        for (const auto& [name, values] : view) meters[name].add(values);
      }
      ++result_.measured_on;
    });
    if (result_.measured_on == 0) fail_data("{}: none of {} clips could be read: {}", request_.data, items.size(), result_.failures.front());
    for (const auto& [name, meter] : meters) result_.model.quantization.ranges[name] = meter.range();
  }

  struct Candidate {
    PrecisionRow row;
    std::unique_ptr<Recognizer> recognizer;
    std::vector<float> probabilities;
    std::vector<double> seconds;
  };

  std::vector<Candidate> candidates() const {
    std::vector<Candidate> all;
    const auto add = [&](Precision precision, bool narrow) {
      Candidate candidate;
      candidate.row.precision = precision;
      candidate.row.narrow_weights = narrow;
      candidate.recognizer = std::make_unique<Recognizer>(result_.model, request_.model, options_of(precision, narrow));
      if (candidate.recognizer->attributes().precision == precision) all.push_back(std::move(candidate));
    };
    add(Precision::kF32, false);
    add(Precision::kBf16, false);
    if (runtime::has_8bit_dot()) add(Precision::kInt8, false);
    add(Precision::kInt8, true);
    return all;
  }

  // Each clip by every precision in turn, so that what else the machine does meets them alike.
  void compare(const std::vector<data::Item>& items) {
    std::vector<Candidate> all = candidates();
    std::vector<std::int64_t> labels;
    for_each(*all.front().recognizer, items, "comparing precisions", [&](const data::Item& item, const TensorMap& inputs) {
      for (Candidate& candidate : all) {
        const Recognition answer = candidate.recognizer->recognize(inputs, hooks_.stop);
        const auto probabilities = answer.probabilities.values<float>();
        candidate.probabilities.insert(candidate.probabilities.end(), probabilities.begin(), probabilities.end());
        candidate.seconds.push_back(answer.timings.network_seconds);
      }
      labels.push_back(result_.labelled ? class_index(result_.model, item.label) : 0);
    });
    if (labels.empty()) fail_data("{}: none of {} clips could be read: {}", request_.data, items.size(), result_.failures.back());
    result_.compared_on = static_cast<std::int64_t>(labels.size());
    for (Candidate& candidate : all) {
      finish(candidate, all.front().probabilities, labels);
      result_.rows.push_back(candidate.row);
    }
  }

  void finish(Candidate& candidate, const std::vector<float>& exact, const std::vector<std::int64_t>& labels) const {
    const std::size_t classes = result_.model.classes.size();
    PrecisionRow& row = candidate.row;
    const auto clips = static_cast<double>(labels.size());
    double right = 0, equal = 0, change = 0;
    for (std::size_t n = 0; n < labels.size(); ++n) {
      const std::span<const float> ours = std::span(candidate.probabilities).subspan(n * classes, classes);
      const std::span<const float> theirs = std::span(exact).subspan(n * classes, classes);
      const auto best = std::ranges::max_element(ours) - ours.begin();
      right += best == labels[n];
      equal += best == std::ranges::max_element(theirs) - theirs.begin();
      double most = 0;
      for (std::size_t c = 0; c < classes; ++c) most = std::max<double>(most, std::abs(ours[c] - theirs[c]));
      change += most;
    }
    row.agreement = equal / clips;
    row.probability_change = change / clips;
    std::ranges::nth_element(candidate.seconds, candidate.seconds.begin() + static_cast<std::ptrdiff_t>(candidate.seconds.size() / 2));
    row.seconds = candidate.seconds[candidate.seconds.size() / 2];
    if (!result_.labelled) return;
    row.top1 = right / clips;
    const Shape shape = {static_cast<std::int64_t>(labels.size()), static_cast<std::int64_t>(classes)};
    row.calibration_error = eval::measure_calibration(Tensor::of(shape, candidate.probabilities), labels).expected_error;
  }

  // A precision is borne where all of its kinds of weights are.
  void record() {
    net::Quantization& quantization = result_.model.quantization;
    quantization.borne.clear();
    result_.enough = result_.compared_on >= request_.quantize.enough;
    for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
      std::int64_t rows = 0, good = 0;
      for (const PrecisionRow& row : result_.rows) {
        if (row.precision != precision) continue;
        ++rows;
        good += row.agreement >= request_.quantize.agreement;
      }
      if (result_.enough && rows > 0 && good == rows) quantization.borne.emplace_back(name_of(precision));
    }
    quantization.record = to_json(result_);
  }

  const QuantizeRequest& request_;
  const Hooks& hooks_;
  Quantized result_;
  std::int64_t done_ = 0, total_ = 0;
};

std::string name_of_row(const PrecisionRow& row) {
  return std::string(name_of(row.precision)) + (row.narrow_weights ? ", weights of 7 bits" : "");
}

}  // namespace

Fields QuantizeOptions::fields() {
  return {{"clips", &clips, "clips to measure how far values reach, and as many others to compare the precisions on", {}, 1, 100000},
          {"agreement", &agreement, "share of clips on which a precision has to answer as f32 does, for --precision auto to take it", {}, 0, 1},
          {"enough", &enough, "clips that have to be compared before --precision auto takes anything but f32", {}, 1, 100000}};
}

Quantized quantize(const QuantizeRequest& request, const Hooks& hooks) { return Quantizer(request, hooks).run(); }

Json to_json(const Quantized& quantized) {
  Json rows = Json::array();
  for (const PrecisionRow& row : quantized.rows) {
    rows.push_back({{"precision", name_of(row.precision)},
                    {"weight_bits", row.precision != Precision::kInt8 ? 0 : row.narrow_weights ? 7 : 8},
                    {"agreement", row.agreement},
                    {"probability_change", row.probability_change},
                    {"network_seconds", row.seconds}});
    if (!quantized.labelled) continue;
    rows.back()["top1"] = row.top1;
    rows.back()["calibration_error"] = row.calibration_error;
  }
  return {{"measured_on", quantized.measured_on},
          {"compared_on", quantized.compared_on},
          {"training_part", quantized.of_training},
          {"processor", runtime::processor_text()},
          {"precisions", std::move(rows)}};
}

std::string text_of(const Quantized& quantized) {
  std::string text = fmt::format("ranges of {} values from {} clips; precisions compared on {} others{}\n", quantized.model.quantization.ranges.size(),
                                 quantized.measured_on, quantized.compared_on,
                                 quantized.of_training ? " of the training part" : " (nothing divides the clips: keep those for testing apart)");
  text += fmt::format("{:26}{:>8}{:>13}{:>12}{:>15}{:>16}{:>8}\n", "precision", "top-1", "agreement", "change", "calibration", "network, ms", "speed");
  for (const PrecisionRow& row : quantized.rows) {
    const auto of_labels = [&](double share) { return quantized.labelled ? fmt::format("{:.1f} %", 100 * share) : std::string("-"); };
    text += fmt::format("{:26}{:>8}{:>11.1f} %{:>12.4f}{:>15}{:>16.2f}{:>7.2f}x\n", name_of_row(row), of_labels(row.top1), 100 * row.agreement,
                        row.probability_change, of_labels(row.calibration_error), 1e3 * row.seconds, quantized.rows.front().seconds / row.seconds);
  }
  const std::vector<std::string>& borne = quantized.model.quantization.borne;
  if (!quantized.enough) return text + fmt::format("{} clips are too few to tell: --precision auto stays f32 (--enough)", quantized.compared_on);
  text += borne.empty() ? "no other precision than f32 answers alike often enough: --precision auto stays f32"
                        : fmt::format("answer alike often enough for --precision auto: {}", fmt::join(borne, ", "));
  return text;
}

}  // namespace actio::recognize
