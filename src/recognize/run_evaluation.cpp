#include "recognize/run_evaluation.h"

#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/json_text.h"
#include "core/output_check.h"
#include "data/dataset.h"
#include "eval/metrics.h"
#include "eval/score_file.h"

namespace actio::recognize {
namespace {

std::vector<data::Item> items_of(const EvaluationRequest& request, std::vector<std::string>& warnings) {
  const data::Dataset dataset = data::load_dataset(request.data, request.dataset);
  warnings = dataset.warnings;
  const bool split = data::is_divided(dataset, request.dataset);
  const std::string part = request.part.empty() ? (split ? "test" : "all") : request.part;
  if (part == "all") return dataset.items;
  if (!split && part != "validation") {
    fail_usage("--part {} needs --fold, --test-share, --test-list, official lists or folders train and test", part);
  }
  data::Split parts = part == "test" ? data::divide(dataset, request.dataset) : data::split_dataset(dataset, request.dataset);
  std::vector<data::Item>& items = part == "test" ? parts.test : part == "train" ? parts.train : parts.validation;
  if (part == "validation" && items.empty() && request.dataset.validation_share == 0) {
    fail_usage("--part validation needs --validation-share, as the training had it, or a folder for it");
  }
  if (items.empty()) fail_usage("{}: no clip is in the {} part", request.data, part);
  return std::move(items);
}

void check_outputs(const EvaluationRequest& request, const std::string& request_file) {
  if (!request.report.empty()) check_output(request.report, {request.model, request.data, request_file});
  if (request.scores.empty()) return;
  for (const std::string& file : eval::score_files_of(request.scores)) {
    check_output(file, {request.model, request.data, request_file});
    if (is_same_file(file, request.report)) fail_usage("{}: is given for the scores and for the report", file);
  }
}

// Before hours of work: whether the file can name these clips and classes.
void check_score_file(const EvaluationRequest& request, const std::vector<data::Item>& items, const Recognizer& recognizer) {
  Evaluation expected;
  expected.items = items;
  const net::Model& model = recognizer.model();
  for (const data::Item& item : items) expected.labels.push_back(class_index(model, item.label));
  expected.scores = Tensor({static_cast<std::int64_t>(items.size()), static_cast<std::int64_t>(model.classes.size())});
  expected.probabilities = expected.scores;
  eval::ScoreTable table = score_table_of(expected, recognizer, request.test.average);
  table.source = request.data;
  table.kind = eval::ScoreKind::kUnknown;
  eval::check_storable(request.scores, table);
}

RecognizeOptions options_of(const EvaluationRequest& request, const data::Protocol& protocol, std::size_t clips) {
  return {.run = request.runtime,
          .read = {.flow_cache = request.cache.flow_cache, .flow_threads = 1, .memory = request.test.bytes(), .limits = request.limits},
          .head = request.test.head,
          .protocol = protocol,
          .keep = {},
          .at_once = static_cast<std::int64_t>(clips)};
}

Json report_of(const EvaluationRequest& request, const data::Protocol& protocol, const Recognizer& recognizer, const eval::ScoreTable& table,
               const EvaluationOutcome& outcome) {
  Json json = eval::to_json(outcome.figures.metrics, outcome.classes);
  if (!outcome.figures.groups.groups.empty()) json["groups"] = eval::to_json(outcome.figures.groups);
  json["protocol"] = protocol_json(request.test, protocol, recognizer, table.kind);
  if (!request.test.head.empty()) json["head"] = request.test.head;
  json["model"] = request.model;
  json["data"] = request.data;
  json["failures"] = outcome.failures;
  json["warnings"] = outcome.warnings;
  return json;
}

}  // namespace

EvaluationOutcome run_evaluation(const EvaluationRequest& request, const Hooks& hooks, const std::string& request_file) {
  const auto warn = [&](const std::string& line) {
    if (hooks.warn) hooks.warn(line);
  };
  check_outputs(request, request_file);
  if (request.chosen.has(&data::DatasetOptions::fold) && request.dataset.fold.empty()) fail_usage("--fold: names no group");
  const data::Protocol protocol = request.test.chosen_protocol(request.chosen);
  EvaluationOutcome outcome;
  const std::vector<data::Item> items = items_of(request, outcome.data_warnings);
  const Recognizer recognizer(request.model, options_of(request, protocol, items.size()));
  for (const std::string& warning : recognizer.warnings()) warn(warning);
  require_classes(recognizer.model(), request.model, items, request.data);
  if (!request.scores.empty()) check_score_file(request, items, recognizer);
  if (request.test.average == eval::Average::kLogits && !recognizer.has_logits()) {
    warn(fmt::format("--average logits: {} answers probabilities, so these are averaged", recognizer.model().spec.name));
  }
  Evaluation evaluation = evaluate(recognizer, items, request.workers, {.progress = hooks.progress, .warn = {}, .stop = hooks.stop});
  const eval::ScoreTable table = score_table_of(evaluation, recognizer, request.test.average);
  outcome.classes = recognizer.model().classes;
  outcome.warnings = std::move(evaluation.warnings);
  outcome.failures = std::move(evaluation.failures);
  if (evaluation.labels.empty()) return outcome;
  outcome.figures = measure(table, evaluation);
  outcome.report = report_of(request, protocol, recognizer, table, outcome);
  if (!request.report.empty()) write_file_atomically(request.report, json_text(outcome.report, 2) + "\n");
  if (!request.scores.empty()) eval::write_scores(request.scores, table);
  return outcome;
}

}  // namespace actio::recognize
