#include "training/folds.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/json_text.h"
#include "data/group.h"
#include "eval/groups.h"
#include "eval/metrics.h"
#include "eval/score_file.h"
#include "training/fold_names.h"
#include "training/lost_classes.h"
#include "training/recipe/settle.h"

namespace actio::training {
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

bool has_official_splits(const data::Dataset& dataset) { return data::is_official(dataset.layout); }

std::string fold_name(const data::DatasetOptions& options) {
  return options.fold.empty() ? fmt::format("split{}", options.split) : options.fold.front();
}

struct Fold {
  std::string name;
  eval::ScoreTable scores;
};

PlanOutput output_of(const TrainRequest& request, const fs::path& folder) {
  PlanOutput output;
  output.model = (folder / "model.actio").string();
  output.scores = (folder / "scores.csv").string();
  if (!request.tensorboard.empty()) output.tensorboard = (fs::path(request.tensorboard) / folder.filename()).string();
  output.log = request.log;
  // Without a word of the user's, folds that were begun are gone on with.
  output.existing = request.existing == Existing::kRefuse ? Existing::kResume : request.existing;
  return output;
}

struct FoldPlan {
  data::DatasetOptions options;
  PlanOutput output;

  template <typename Run>
  auto with_clips(const TrainRequest& request, Run run) const {
    const data::Dataset dataset = data::load_dataset(request.data, options);
    const data::Split split = data::split_dataset(dataset, options);
    if (split.test.empty()) fail_usage("{}: fold '{}' has no clip to test on", request.data, fold_name(options));
    TrainSpec of_fold = request.spec;
    of_fold.dataset = options;
    return run(Plan{request, std::move(of_fold), output, dataset, split});
  }
};

// Before the first one is trained.
void check_fold(const TrainRequest& request, const FoldPlan& fold, const Team& team, FewWarnings& warnings) {
  fold.with_clips(request, [&](const Plan& plan) {
    for (const std::string& warning : data::split_warnings(plan.dataset, plan.split)) {
      warnings.add(fmt::format("fold {}: {}", fold_name(fold.options), warning));
    }
    check_plan(plan, team);
  });
}

eval::ScoreTable run_fold(const TrainRequest& request, const FoldPlan& fold, const Team& team, const TrainHooks& hooks) {
  return fold.with_clips(request, [&](const Plan& plan) {
    TrainRunResult result = run_plan(plan, team, hooks);
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

void report(const TrainRequest& request, const std::vector<Fold>& folds, const TrainHooks& hooks) {
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
  hooks.tell(text);
  const fs::path folder = request.output;
  const fs::path scores = folder / "scores.csv";
  std::error_code ignored;
  if (occurs_twice(all.paths)) fs::remove(scores, ignored);  // of an earlier choice of folds
  else eval::write_scores(scores.string(), all);
  Json json = eval::to_json(metrics, eval::class_names_of(all));
  if (!by_fold.groups.empty()) json["folds"] = eval::to_json(by_fold);
  write_file_atomically(folder / "result.json", json_text(json, 2) + "\n");
}

void make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail("{}: cannot be made: {}", folder.string(), code.message());
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

void run_folds(const TrainRequest& asked, const Team& team, const TrainHooks& hooks) {
  const data::Dataset dataset = data::load_dataset(asked.data, asked.spec.dataset);
  hooks.tell_of_data(dataset.ignored, dataset.warnings);
  make_folder(asked.output);
  const std::vector<data::DatasetOptions> all = folds_of(asked.folds, dataset, asked.spec.dataset);
  const data::Split first = data::split_dataset(data::load_dataset(asked.data, all.front()), all.front());
  const Division division = {dataset, first, static_cast<std::int64_t>(all.size())};
  const Settled settled = settle(asked, division, team, hooks);  // one recipe for all folds, whose stages they then may share
  const TrainRequest& request = settled.request;
  const std::vector<data::DatasetOptions> options = folds_of(request.folds, dataset, settled.request.spec.dataset);
  const auto folder_of = [&](const data::DatasetOptions& fold) { return fs::path(request.output) / fold_folder(fold_name(fold)); };
  refuse_lost_classes(request, dataset.items, hooks);
  std::vector<FoldPlan> plans;
  for (const data::DatasetOptions& of_fold : options) plans.push_back({of_fold, output_of(request, folder_of(of_fold))});
  {
    FewWarnings warnings(hooks.warn);
    for (const FoldPlan& fold : plans) check_fold(request, fold, team, warnings);
  }
  const PacedTeam paced(settled, static_cast<std::int64_t>(plans.size()), team, hooks);
  std::vector<Fold> folds;
  for (const FoldPlan& plan : plans) {
    throw_if_stopped(hooks.stop);
    const std::string name = fold_name(plan.options);
    hooks.tell(fmt::format("fold {} of {}: {}", folds.size() + 1, options.size(), name));
    const fs::path folder = folder_of(plan.options);
    make_folder(folder);
    folds.push_back({name, run_fold(request, plan, paced.team(), hooks)});
  }
  if (team.leads()) report(request, folds, hooks);
}

}  // namespace actio::training
