#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/request_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/file.h"
#include "core/json_text.h"
#include "core/output_check.h"
#include "data/dataset.h"
#include "eval/metrics.h"
#include "eval/score_file.h"
#include "recognize/evaluation.h"
#include "recognize/evaluation_report.h"
#include "recognize/evaluation_request.h"

namespace actio::cli {
namespace {

struct EvaluateArguments {
  recognize::EvaluationRequest request;
  bool json = false;
  std::unique_ptr<OptionFlags> flags;
  std::unique_ptr<RequestFlags> file;
};

using Request = recognize::EvaluationRequest;

std::vector<data::Item> items_of(const Request& request, std::vector<std::string>& warnings) {
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

void check_outputs(const Request& request, const std::string& request_file) {
  if (!request.report.empty()) check_output(request.report, {request.model, request.data, request_file});
  if (request.scores.empty()) return;
  for (const std::string& file : eval::score_files_of(request.scores)) {
    check_output(file, {request.model, request.data, request_file});
    if (is_same_file(file, request.report)) fail_usage("{}: is given for the scores and for the report", file);
  }
}

// Before hours of work: whether the file can name these clips and classes.
void check_score_file(const Request& request, const std::vector<data::Item>& items, const recognize::Recognizer& recognizer) {
  recognize::Evaluation expected;
  expected.items = items;
  const net::Model& model = recognizer.model();
  for (const data::Item& item : items) expected.labels.push_back(recognize::class_index(model, item.label));
  expected.scores = Tensor({static_cast<std::int64_t>(items.size()), static_cast<std::int64_t>(model.classes.size())});
  expected.probabilities = expected.scores;
  eval::ScoreTable table = recognize::score_table_of(expected, recognizer, request.test.average);
  table.source = request.data;
  table.kind = eval::ScoreKind::kUnknown;
  eval::check_storable(request.scores, table);
}

void settle(EvaluateArguments& a) {
  if (!a.file->read_from().empty()) {
    a.request = recognize::read_request(a.file->read_from());
    return;
  }
  a.flags->apply();
  a.request.chosen = a.flags->chosen();
}

int write_request(const EvaluateArguments& a) {
  check_output(a.file->write_to(), {a.request.model, a.request.data});
  recognize::write_request(a.file->write_to(), a.request);
  std::puts(fmt::format("wrote {}", a.file->write_to()).c_str());
  return 0;
}

int run_evaluate(EvaluateArguments& a) {
  settle(a);
  if (!a.file->write_to().empty()) return write_request(a);
  const Request& request = a.request;
  check_outputs(request, a.file->read_from());
  if (request.chosen.has(&data::DatasetOptions::fold) && request.dataset.fold.empty()) fail_usage("--fold: names no group");
  const data::Protocol protocol = request.test.chosen_protocol(request.chosen);
  std::vector<std::string> dataset_warnings;
  const std::vector<data::Item> items = items_of(request, dataset_warnings);
  const recognize::Recognizer recognizer(
      request.model, {.run = request.runtime,
                      .read = {.flow_cache = request.cache.flow_cache, .flow_threads = 1, .memory = request.test.bytes(),
                                .limits = request.limits},
                      .head = request.test.head,
                      .protocol = protocol,
                      .keep = {}});
  for (const std::string& warning : recognizer.warnings()) print_warning(warning);
  recognize::require_classes(recognizer.model(), request.model, items, request.data);
  if (!request.scores.empty()) check_score_file(request, items, recognizer);
  if (request.test.average == eval::Average::kLogits && !recognizer.has_logits()) {
    print_warning(fmt::format("--average logits: {} answers probabilities, so these are averaged", recognizer.model().spec.name));
  }
  TerminalProgress progress;
  const recognize::Evaluation evaluation =
      recognize::evaluate(recognizer, items, request.workers, {.progress = progress.fn(), .warn = {}, .stop = interrupt_token()});
  progress.clear();
  print_warnings(dataset_warnings);
  print_warnings(evaluation.warnings);
  print_warnings(evaluation.failures);
  if (evaluation.labels.empty()) fail_data("{}: none of {} videos could be read", request.data, items.size());
  const auto& classes = recognizer.model().classes;
  const eval::ScoreTable table = recognize::score_table_of(evaluation, recognizer, request.test.average);
  const recognize::EvaluationFigures figures = recognize::measure(table, evaluation);
  Json json = eval::to_json(figures.metrics, classes);
  if (!figures.groups.groups.empty()) json["groups"] = eval::to_json(figures.groups);
  json["protocol"] = recognize::protocol_json(request.test, protocol, recognizer, table.kind);
  if (!request.test.head.empty()) json["head"] = request.test.head;
  json["model"] = request.model;
  json["data"] = request.data;
  json["failures"] = evaluation.failures;
  json["warnings"] = evaluation.warnings;
  if (!request.report.empty()) write_file_atomically(request.report, json_text(json, 2) + "\n");
  if (!request.scores.empty()) eval::write_scores(request.scores, table);
  std::puts(a.json ? json_text(json, 2).c_str() : recognize::text_of(figures, json, classes).c_str());
  return evaluation.failures.empty() ? 0 : static_cast<int>(ErrorCode::kBadData);
}

}  // namespace

void add_evaluate(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("evaluate", "measure a model on a dataset");
  auto a = std::make_shared<EvaluateArguments>();
  recognize::EvaluationRequest& request = a->request;
  CLI::Option* const model = command.add_option("MODEL", request.model, "a model file");
  CLI::Option* const data =
      command.add_option("DATA", request.data, "a folder with one folder per class, a CSV, UCF101 or HMDB51 with their lists, or a list");
  command.add_option("--part", request.part, "test, train, validation or all [test where the clips are divided, else all]")
      ->check(CLI::IsMember({"test", "train", "validation", "all"}));
  command.add_option("--report", request.report, "also write the figures to this JSON file");
  command.add_option("--scores", request.scores, "also write the scores of every clip to this file: .csv, .npy or .f32");
  const CLI::Option* const json = command.add_flag("--json", a->json, "print JSON");
  command.add_option("--workers", request.workers, "videos decoded ahead [2]")->check(CLI::Range(1, 64));
  a->file = std::make_unique<RequestFlags>(command, std::vector{model, data}, std::vector{json});
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(request.dataset);
  a->flags->add(request.test);
  a->flags->add(request.runtime);
  a->flags->add(request.cache);
  a->flags->add(request.limits);
  a->flags->add_config();
  on_run(command, [a] { return run_evaluate(*a); });
}

}  // namespace actio::cli
