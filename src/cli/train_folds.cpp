#include "cli/train_folds.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>

#include "cli/fold_names.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/file.h"
#include "data/group.h"
#include "eval/groups.h"
#include "eval/metrics.h"
#include "eval/score_file.h"
#include "torch/distributed/group.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> group_names(const data::Dataset& dataset) {
  std::set<std::string> names;
  for (const data::Item& item : dataset.items) names.insert(item.group);
  std::vector<std::string> sorted(names.begin(), names.end());
  // 2 before 10.
  std::ranges::stable_sort(sorted, [](const std::string& a, const std::string& b) { return ::strverscmp(a.c_str(), b.c_str()) < 0; });
  return sorted;
}

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',') parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

void refuse_twice(const std::vector<std::string>& folds) {
  std::set<std::string> seen;
  for (const std::string& fold : folds) {
    if (!seen.insert(fold).second) fail_usage("--folds: '{}' is given twice", fold);
  }
}

bool has_official_splits(const data::Dataset& dataset) { return dataset.layout == "ucf101" || dataset.layout == "hmdb51"; }

std::string fold_name(const data::DatasetOptions& options) {
  return options.fold.empty() ? fmt::format("split{}", options.split) : options.fold.front();
}

struct Fold {
  std::string name;
  eval::ScoreTable scores;
};

PlanOutput output_of(const TrainArguments& arguments, const fs::path& folder) {
  PlanOutput output;
  output.model = (folder / "model.actio").string();
  output.scores = (folder / "scores.csv").string();
  if (!arguments.tensorboard.empty()) output.tensorboard = (fs::path(arguments.tensorboard) / folder.filename()).string();
  output.log = arguments.log;
  output.resume = !arguments.restart;
  return output;
}

struct FoldPlan {
  data::DatasetOptions options;
  PlanOutput output;

  template <typename Run>
  auto with_clips(const TrainArguments& arguments, const TrainTables& tables, Run run) const {
    const data::Dataset dataset = data::load_dataset(arguments.data, options);
    const data::Split split = data::split_dataset(dataset, options);
    if (split.test.empty()) fail_usage("{}: fold '{}' has no clip to test on", arguments.data, fold_name(options));
    TrainTables of_fold = tables;
    of_fold.dataset = options;
    return run(of_fold, dataset, split);
  }
};

// Before the first one is trained.
void check_fold(TrainArguments& arguments, const std::vector<Stage>& stages, const TrainTables& tables, const FoldPlan& fold,
                WarningPrinter& warnings) {
  fold.with_clips(arguments, tables,
                  [&](const TrainTables& of_fold, const data::Dataset& dataset, const data::Split& split) {
                    for (const std::string& warning : data::split_warnings(dataset, split)) {
                      warnings.print(fmt::format("fold {}: {}", fold_name(fold.options), warning));
                    }
                    check_plan(arguments, stages, of_fold, fold.output, dataset, split);
                  });
}

eval::ScoreTable run_fold(TrainArguments& arguments, const std::vector<Stage>& stages, const TrainTables& tables, const FoldPlan& fold) {
  return fold.with_clips(arguments, tables, [&](const TrainTables& of_fold, const data::Dataset& dataset, const data::Split& split) {
    TrainRunResult result = run_plan(arguments, stages, of_fold, fold.output, dataset, split);
    return result.test ? std::move(*result.test) : eval::read_scores(fold.output.scores);
  });
}

eval::ScoreTable joined(const std::vector<Fold>& folds) {
  eval::ScoreTable all = folds.front().scores;
  std::vector<float> values;
  all.paths.clear();
  all.labels.clear();
  for (const Fold& fold : folds) {
    const eval::ScoreTable& part = fold.scores;
    all.paths.insert(all.paths.end(), part.paths.begin(), part.paths.end());
    all.labels.insert(all.labels.end(), part.labels.begin(), part.labels.end());
    const auto rows = part.scores.values<float>();
    values.insert(values.end(), rows.begin(), rows.end());
  }
  all.scores = Tensor::of({static_cast<std::int64_t>(all.paths.size()), folds.front().scores.class_count()}, values);
  return all;
}

bool occurs_twice(const std::vector<std::string>& paths) {
  return std::set<std::string>(paths.begin(), paths.end()).size() != paths.size();
}

void report(const TrainArguments& arguments, const std::vector<Fold>& folds) {
  const eval::ScoreTable all = joined(folds);
  std::vector<std::string> groups;
  for (const Fold& fold : folds) groups.insert(groups.end(), fold.scores.paths.size(), fold.name);
  const eval::GroupMetrics by_fold = eval::measure_groups(all.scores, all.labels, groups);
  const eval::Metrics metrics = eval::compute_metrics(all.scores, all.labels, all.kind);
  std::string text = by_fold.groups.empty() ? "\n" : "\nfold              clips   top-1\n";
  for (const eval::GroupRow& row : by_fold.groups) text += fmt::format("{:<16}  {:>5}  {:>5.1f} %\n", row.group, row.clips, 100 * row.top1);
  if (by_fold.groups.size() > 1) {
    text += fmt::format("mean of the folds        {:>5.1f} %   (deviation {:.1f})\n", 100 * by_fold.mean, 100 * by_fold.deviation);
  }
  text += fmt::format("all clips         {:>5}  {:>5.1f} %   (95 % interval {:.1f} to {:.1f})\n", metrics.clips, 100 * metrics.top1,
                      100 * metrics.top1_low, 100 * metrics.top1_high);
  text += fmt::format("mean class accuracy      {:>5.1f} %", 100 * metrics.mean_class_accuracy);
  std::puts(text.c_str());
  const fs::path folder = arguments.output;
  const fs::path scores = folder / "scores.csv";
  std::error_code ignored;
  if (occurs_twice(all.paths)) fs::remove(scores, ignored);  // of an earlier choice of folds
  else eval::write_scores(scores.string(), all);
  Json json = eval::to_json(metrics, eval::class_names_of(all));
  if (!by_fold.groups.empty()) json["folds"] = eval::to_json(by_fold);
  write_file_atomically(folder / "result.json", json_text(json, 2) + "\n");
}

}  // namespace

std::vector<data::DatasetOptions> folds_of(const std::string& folds, const data::Dataset& dataset, const data::DatasetOptions& options) {
  if (!options.fold.empty() || options.test_share != 0) fail_usage("--folds divides the clips by itself; leave out --fold and --test-share");
  std::vector<data::DatasetOptions> list;
  if (has_official_splits(dataset) && options.group.empty()) {
    const std::vector<std::string> wanted = folds == "all" ? std::vector<std::string>{"1", "2", "3"} : words(folds);
    refuse_twice(wanted);
    for (const std::string& name : wanted) {
      if (options.split != 0) fail_usage("--folds chooses the official splits; leave out --split {}", options.split);
      if (name != "1" && name != "2" && name != "3") fail_usage("--folds: '{}' is no official split; splits: 1, 2, 3", name);
      list.push_back(options);
      list.back().split = name[0] - '0';
    }
    return list;
  }
  const std::vector<std::string> names = group_names(dataset);
  if (names.size() < 2) fail_usage("{}: one group only; --group names the column that divides the clips", dataset.source);
  const std::vector<std::string> wanted = folds == "all" ? names : data::group_names_of(words(folds), {names.begin(), names.end()});
  refuse_twice(wanted);
  for (const std::string& name : wanted) {
    if (std::ranges::find(names, name) == names.end()) fail_usage("--folds: {}", unknown_name_text("group", name, names));
    list.push_back(options);
    list.back().fold = {name};
  }
  return list;
}

void run_folds(TrainArguments& arguments, const std::vector<Stage>& stages) {
  const TrainTables tables = arguments.tables;
  const bool leads = arguments.group == nullptr || arguments.group->rank() == 0;
  const data::Dataset dataset = data::load_dataset(arguments.data, tables.dataset);
  print_remarks(dataset.ignored, dataset.warnings);
  const std::vector<data::DatasetOptions> options = folds_of(arguments.folds, dataset, tables.dataset);
  std::error_code code;
  fs::create_directories(arguments.output, code);
  if (code) fail("{}: cannot be made: {}", arguments.output, code.message());
  const auto folder_of = [&](const data::DatasetOptions& fold) { return fs::path(arguments.output) / fold_folder(fold_name(fold)); };
  std::vector<FoldPlan> plans;
  for (const data::DatasetOptions& of_fold : options) plans.push_back({of_fold, output_of(arguments, folder_of(of_fold))});
  {
    WarningPrinter warnings;
    for (const FoldPlan& plan : plans) check_fold(arguments, stages, tables, plan, warnings);
  }
  std::vector<Fold> folds;
  for (const FoldPlan& plan : plans) {
    throw_if_interrupted();
    const std::string name = fold_name(plan.options);
    std::puts(fmt::format("fold {} of {}: {}", folds.size() + 1, options.size(), name).c_str());
    const fs::path folder = folder_of(plan.options);
    fs::create_directories(folder, code);
    if (code) fail("{}: cannot be made: {}", folder.string(), code.message());
    folds.push_back({name, run_fold(arguments, stages, tables, plan)});
  }
  if (leads) report(arguments, folds);
}

}  // namespace actio::cli
