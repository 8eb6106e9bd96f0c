#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/evaluation.h"
#include "cli/json_text.h"
#include "cli/option_flags.h"
#include "cli/output_check.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/file.h"
#include "data/dataset.h"
#include "data/flow_cache.h"
#include "eval/metrics.h"

namespace actio::cli {
namespace {

struct EvaluateArguments {
  std::string model;
  std::string data;
  std::string part;
  std::string report;
  bool json = false;
  std::int64_t workers = 2;
  data::DatasetOptions options;
  runtime::RuntimeOptions runtime;
  data::FlowCacheOptions cache;
  std::unique_ptr<OptionFlags> flags;
};

std::vector<data::Item> items_of(const EvaluateArguments& a, std::vector<std::string>& warnings) {
  const data::Dataset dataset = data::load_dataset(a.data, a.options);
  warnings = dataset.warnings;
  const bool split = data::is_divided(dataset, a.options);
  const std::string part = a.part.empty() ? (split ? "test" : "all") : a.part;
  if (part == "all") return dataset.items;
  if (!split) fail_usage("--part {} needs --fold, --test-share, --test-list or official lists", part);
  data::Split parts = data::split_dataset(dataset, a.options);
  return part == "test" ? parts.test : parts.train;
}

std::string text_of(const eval::Metrics& m, const Evaluation& evaluation, const std::vector<std::string>& classes) {
  std::string text = fmt::format("clips                {}\n", m.clips);
  if (!evaluation.failures.empty()) text += fmt::format("could not be read    {}\n", evaluation.failures.size());
  text += fmt::format("top-1                {:.1f} %   (95 % interval {:.1f} to {:.1f})\n", 100 * m.top1, 100 * m.top1_low, 100 * m.top1_high);
  text += fmt::format("top-5                {:.1f} %\n", 100 * m.top5);
  text += fmt::format("mean class accuracy  {:.1f} %\n\n", 100 * m.mean_class_accuracy);
  if (classes.size() > 20) return text;
  std::size_t width = 10;
  for (const std::string& name : classes) width = std::max(width, name.size());
  text += fmt::format("{:<{}}  predicted, in the order of the rows\n", "true class", width);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    text += fmt::format("{:<{}} ", classes[c], width);
    for (const std::int64_t count : m.confusion[c]) text += fmt::format(" {:>4}", count);
    text += "\n";
  }
  return text;
}

int run_evaluate(EvaluateArguments& a) {
  a.flags->apply();
  if (!a.report.empty()) check_output(a.report, {a.model, a.data});
  std::vector<std::string> dataset_warnings;
  const std::vector<data::Item> items = items_of(a, dataset_warnings);
  VideoClassifier classifier(a.model, a.runtime, {.flow_cache = a.cache.flow_cache});
  const Evaluation evaluation = evaluate_items(classifier, items, a.workers);
  print_warnings(dataset_warnings);
  print_warnings(evaluation.warnings);
  print_warnings(evaluation.failures);
  if (evaluation.labels.empty()) fail_data("{}: none of {} videos could be read", a.data, items.size());
  const auto& classes = classifier.model().classes;
  const eval::Metrics metrics = eval::compute_metrics(evaluation.scores, evaluation.labels);
  Json json = eval::to_json(metrics, classes);
  json["model"] = a.model;
  json["data"] = a.data;
  json["failures"] = evaluation.failures;
  json["warnings"] = evaluation.warnings;
  if (!a.report.empty()) write_file_atomically(a.report, json_text(json, 2) + "\n");
  std::puts(a.json ? json_text(json, 2).c_str() : text_of(metrics, evaluation, classes).c_str());
  return evaluation.failures.empty() ? 0 : static_cast<int>(ErrorCode::kBadData);
}

}  // namespace

void add_evaluate(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("evaluate", "measure a model on a dataset");
  auto a = std::make_shared<EvaluateArguments>();
  command.add_option("MODEL", a->model, "a model file")->required();
  command.add_option("DATA", a->data, "a folder with one folder per class, a CSV, UCF101 or HMDB51 with their lists, or a list")->required();
  command.add_option("--part", a->part, "test, train or all [test where the clips are divided, else all]")
      ->check(CLI::IsMember({"test", "train", "all"}));
  command.add_option("--report", a->report, "also write the figures to this JSON file");
  command.add_flag("--json", a->json, "print JSON");
  command.add_option("--workers", a->workers, "videos decoded ahead [2]")->check(CLI::Range(1, 64));
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add("data", a->options.fields());
  a->flags->add("runtime", a->runtime.fields());
  a->flags->add("cache", a->cache.fields());
  a->flags->add_config();
  on_run(command, [a] { return run_evaluate(*a); });
}

}  // namespace actio::cli
