#include "recognize/evaluation_report.h"

#include <algorithm>

#include "core/error.h"
#include "eval/fusion.h"

namespace actio::recognize {
namespace {

std::string confusion_text(const eval::Metrics& m, const std::vector<std::string>& classes) {
  std::size_t width = 10;
  for (const std::string& name : classes) width = std::max(width, name.size());
  std::string text = fmt::format("\n{:<{}}  predicted, in the order of the rows\n", "true class", width);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    text += fmt::format("{:<{}} ", classes[c], width);
    for (const std::int64_t count : m.confusion[c]) text += fmt::format(" {:>4}", count);
    text += "\n";
  }
  return text;
}

}  // namespace

EvaluationFigures measure(const eval::ScoreTable& table, const Evaluation& evaluation) {
  EvaluationFigures figures;
  figures.metrics = eval::compute_metrics(table.scores, table.labels);
  figures.metrics.calibration = eval::measure_calibration(eval::normalised(table, eval::Normalisation::kSoftmax).scores, table.labels);
  std::vector<std::string> groups;
  for (const data::Item& item : evaluation.items) groups.push_back(item.group);
  figures.groups = eval::measure_groups(table.scores, table.labels, groups);
  return figures;
}

Json protocol_json(const TestOptions& test, const data::Protocol& protocol, const Recognizer& recognizer, eval::ScoreKind kind) {
  return {{"name", name_of(test.protocol)},     {"segments", recognizer.model().spec.segments},
          {"places", protocol.places},   {"crops", name_of(protocol.crops)},
          {"views", recognizer.views()}, {"average", eval::score_kind_name(kind)}};
}

std::string text_of(const EvaluationFigures& figures, const Json& json, const std::vector<std::string>& classes) {
  const eval::Metrics& m = figures.metrics;
  const Json& protocol = json.at("protocol");
  std::string text = fmt::format("clips                {}\n", m.clips);
  if (!json.at("failures").empty()) text += fmt::format("could not be read    {}\n", json.at("failures").size());
  text += fmt::format("views of a clip      {}   ({} segments, {} crops, mean of {})\n",
                      protocol.at("views").get<std::int64_t>(), protocol.at("segments").get<std::int64_t>(),
                      protocol.at("crops").get<std::string>(), protocol.at("average").get<std::string>());
  text += fmt::format("top-1                {:.1f} %   (95 % interval {:.1f} to {:.1f})\n", 100 * m.top1, 100 * m.top1_low,
                      100 * m.top1_high);
  text += fmt::format("top-5                {:.1f} %\n", 100 * m.top5);
  text += fmt::format("mean class accuracy  {:.1f} %\n", 100 * m.mean_class_accuracy);
  if (!figures.groups.groups.empty()) {
    text += fmt::format("top-1 of a group     {:.1f} %   (deviation {:.1f}, {} groups)\n", 100 * figures.groups.mean,
                        100 * figures.groups.deviation, figures.groups.groups.size());
  }
  text += fmt::format("calibration error    {:.1f} %   ({} bins)\n", 100 * m.calibration->expected_error,
                      eval::kCalibrationBins);
  text += fmt::format("-log likelihood      {:.4f}   (nats a clip)\n", m.calibration->negative_log_likelihood);
  text += fmt::format("Brier score          {:.4f}\n", m.calibration->brier);
  return classes.size() > 20 ? text : text + confusion_text(m, classes);
}

}  // namespace actio::recognize
