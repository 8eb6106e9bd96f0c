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
#include "eval/fusion.h"
#include "eval/groups.h"
#include "eval/metrics.h"
#include "eval/score_file.h"
#include "recognize/evaluation.h"

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
  std::unique_ptr<OptionFlags> flags;
};

struct EvaluateFigures {
  eval::Metrics metrics;
  eval::GroupMetrics groups;
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

EvaluateFigures measure(const eval::ScoreTable& table, const recognize::Evaluation& evaluation) {
  EvaluateFigures figures;
  figures.metrics = eval::compute_metrics(table.scores, table.labels);
  figures.metrics.calibration = eval::measure_calibration(eval::normalised(table, "softmax").scores, table.labels);
  std::vector<std::string> groups;
  for (const data::Item& item : evaluation.items) groups.push_back(item.group);
  figures.groups = eval::measure_groups(table.scores, table.labels, groups);
  return figures;
}

Json protocol_json(const EvaluateArguments& a, const data::Protocol& protocol, const recognize::Recognizer& recognizer, eval::ScoreKind kind) {
  return {{"name", a.test.protocol},     {"segments", recognizer.model().spec.segments},
          {"places", protocol.places},   {"crops", protocol.crops},
          {"views", recognizer.views()}, {"average", eval::score_kind_name(kind)}};
}

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

std::string text_of(const EvaluateFigures& figures, const Json& json, const std::vector<std::string>& classes) {
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

int run_evaluate(EvaluateArguments& a) {
  a.flags->apply();
  check_outputs(a);
  if (a.flags->chosen().has(&data::DatasetOptions::fold) && a.options.fold.empty()) fail_usage("--fold: names no group");
  const data::Protocol protocol = a.test.chosen_protocol(a.flags->chosen());
  std::vector<std::string> dataset_warnings;
  const std::vector<data::Item> items = items_of(a, dataset_warnings);
  const recognize::Recognizer recognizer(a.model, {.run = a.runtime,
                                                   .read = {.flow_cache = a.cache.flow_cache, .flow_threads = 1, .memory = a.test.bytes()},
                                                   .head = a.test.head,
                                                   .protocol = protocol,
                                                   .keep = {}});
  for (const std::string& warning : recognizer.warnings()) print_warning(warning);
  recognize::require_classes(recognizer.model(), a.model, items, a.data);
  if (!a.scores.empty()) check_score_file(a, items, recognizer);
  if (a.test.average == "logits" && !recognizer.has_logits()) {
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
  const EvaluateFigures figures = measure(table, evaluation);
  Json json = eval::to_json(figures.metrics, classes);
  if (!figures.groups.groups.empty()) json["groups"] = eval::to_json(figures.groups);
  json["protocol"] = protocol_json(a, protocol, recognizer, table.kind);
  if (!a.test.head.empty()) json["head"] = a.test.head;
  json["model"] = a.model;
  json["data"] = a.data;
  json["failures"] = evaluation.failures;
  json["warnings"] = evaluation.warnings;
  if (!a.report.empty()) write_file_atomically(a.report, json_text(json, 2) + "\n");
  if (!a.scores.empty()) eval::write_scores(a.scores, table);
  std::puts(a.json ? json_text(json, 2).c_str() : text_of(figures, json, classes).c_str());
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
  a->flags->add_config();
  on_run(command, [a] { return run_evaluate(*a); });
}

}  // namespace actio::cli
