#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/file.h"
#include "core/json_text.h"
#include "core/output_check.h"
#include "data/dataset.h"
#include "data/flow_cache.h"
#include "data/read_limits.h"
#include "eval/metrics.h"
#include "eval/score_file.h"
#include "recognize/evaluation.h"
#include "recognize/evaluation_report.h"

namespace actio::cli {
namespace {

struct EvaluateArguments {
  std::string model;
  std::string data;
  std::string part;
  std::string report;
  std::string scores;
  bool json = false;
  std::int64_t workers = 2;
  data::DatasetOptions options;
  recognize::TestOptions test;
  runtime::RunOptions runtime;
  data::FlowCacheOptions cache;
  data::ReadLimits limits;
  std::unique_ptr<OptionFlags> flags;
};

std::vector<data::Item> items_of(const EvaluateArguments& a, std::vector<std::string>& warnings) {
  const data::Dataset dataset = data::load_dataset(a.data, a.options);
  warnings = dataset.warnings;
  const bool split = data::is_divided(dataset, a.options);
  const std::string part = a.part.empty() ? (split ? "test" : "all") : a.part;
  if (part == "all") return dataset.items;
  if (!split && part != "validation") {
    fail_usage("--part {} needs --fold, --test-share, --test-list, official lists or folders train and test", part);
  }
  data::Split parts = part == "test" ? data::divide(dataset, a.options) : data::split_dataset(dataset, a.options);
  std::vector<data::Item>& items = part == "test" ? parts.test : part == "train" ? parts.train : parts.validation;
  if (part == "validation" && items.empty() && a.options.validation_share == 0) {
    fail_usage("--part validation needs --validation-share, as the training had it, or a folder for it");
  }
  if (items.empty()) fail_usage("{}: no clip is in the {} part", a.data, part);
  return std::move(items);
}

void check_outputs(const EvaluateArguments& a) {
  if (!a.report.empty()) check_output(a.report, {a.model, a.data});
  if (a.scores.empty()) return;
  for (const std::string& file : eval::score_files_of(a.scores)) {
    check_output(file, {a.model, a.data});
    if (is_same_file(file, a.report)) fail_usage("{}: is given for the scores and for the report", file);
  }
}

// Before hours of work: whether the file can name these clips and classes.
void check_score_file(const EvaluateArguments& a, const std::vector<data::Item>& items, const recognize::Recognizer& recognizer) {
  recognize::Evaluation expected;
  expected.items = items;
  const net::Model& model = recognizer.model();
  for (const data::Item& item : items) expected.labels.push_back(recognize::class_index(model, item.label));
  expected.scores = Tensor({static_cast<std::int64_t>(items.size()), static_cast<std::int64_t>(model.classes.size())});
  expected.probabilities = expected.scores;
  eval::ScoreTable table = recognize::score_table_of(expected, recognizer, a.test.average);
  table.source = a.data;
  table.kind = eval::ScoreKind::kUnknown;
  eval::check_storable(a.scores, table);
}

int run_evaluate(EvaluateArguments& a) {
  a.flags->apply();
  check_outputs(a);
  if (a.flags->chosen().has(&data::DatasetOptions::fold) && a.options.fold.empty()) fail_usage("--fold: names no group");
  const data::Protocol protocol = a.test.chosen_protocol(a.flags->chosen());
  std::vector<std::string> dataset_warnings;
  const std::vector<data::Item> items = items_of(a, dataset_warnings);
  const recognize::Recognizer recognizer(a.model, {.run = a.runtime,
                                                   .read = {.flow_cache = a.cache.flow_cache, .flow_threads = 1, .memory = a.test.bytes(),
                                                            .limits = a.limits},
                                                   .head = a.test.head,
                                                   .protocol = protocol,
                                                   .keep = {}});
  for (const std::string& warning : recognizer.warnings()) print_warning(warning);
  recognize::require_classes(recognizer.model(), a.model, items, a.data);
  if (!a.scores.empty()) check_score_file(a, items, recognizer);
  if (a.test.average == eval::Average::kLogits && !recognizer.has_logits()) {
    print_warning(fmt::format("--average logits: {} answers probabilities, so these are averaged", recognizer.model().spec.name));
  }
  TerminalProgress progress;
  const recognize::Evaluation evaluation =
      recognize::evaluate(recognizer, items, a.workers, {.progress = progress.fn(), .warn = {}, .stop = interrupt_token()});
  progress.clear();
  print_warnings(dataset_warnings);
  print_warnings(evaluation.warnings);
  print_warnings(evaluation.failures);
  if (evaluation.labels.empty()) fail_data("{}: none of {} videos could be read", a.data, items.size());
  const auto& classes = recognizer.model().classes;
  const eval::ScoreTable table = recognize::score_table_of(evaluation, recognizer, a.test.average);
  const recognize::EvaluationFigures figures = recognize::measure(table, evaluation);
  Json json = eval::to_json(figures.metrics, classes);
  if (!figures.groups.groups.empty()) json["groups"] = eval::to_json(figures.groups);
  json["protocol"] = recognize::protocol_json(a.test, protocol, recognizer, table.kind);
  if (!a.test.head.empty()) json["head"] = a.test.head;
  json["model"] = a.model;
  json["data"] = a.data;
  json["failures"] = evaluation.failures;
  json["warnings"] = evaluation.warnings;
  if (!a.report.empty()) write_file_atomically(a.report, json_text(json, 2) + "\n");
  if (!a.scores.empty()) eval::write_scores(a.scores, table);
  std::puts(a.json ? json_text(json, 2).c_str() : recognize::text_of(figures, json, classes).c_str());
  return evaluation.failures.empty() ? 0 : static_cast<int>(ErrorCode::kBadData);
}

}  // namespace

void add_evaluate(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("evaluate", "measure a model on a dataset");
  auto a = std::make_shared<EvaluateArguments>();
  command.add_option("MODEL", a->model, "a model file")->required();
  command
      .add_option("DATA", a->data, "a folder with one folder per class, a CSV, UCF101 or HMDB51 with their lists, or a list")
      ->required();
  command.add_option("--part", a->part, "test, train, validation or all [test where the clips are divided, else all]")
      ->check(CLI::IsMember({"test", "train", "validation", "all"}));
  command.add_option("--report", a->report, "also write the figures to this JSON file");
  command.add_option("--scores", a->scores, "also write the scores of every clip to this file: .csv, .npy or .f32");
  command.add_flag("--json", a->json, "print JSON");
  command.add_option("--workers", a->workers, "videos decoded ahead [2]")->check(CLI::Range(1, 64));
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->options);
  a->flags->add(a->test);
  a->flags->add(a->runtime);
  a->flags->add(a->cache);
  a->flags->add(a->limits);
  a->flags->add_config();
  on_run(command, [a] { return run_evaluate(*a); });
}

}  // namespace actio::cli
