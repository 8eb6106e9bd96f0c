#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>

#include "cli/commands.h"
#include "core/json_text.h"
#include "cli/option_flags.h"
#include "core/output_check.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/file.h"
#include "eval/fusion.h"
#include "eval/metrics.h"
#include "eval/score_file.h"
#include "eval/significance.h"
#include "eval/weight_search.h"

namespace actio::cli {
namespace {

struct FuseOptions {
  std::vector<double> weights;
  std::vector<std::string> kinds;
  eval::FusionOptions fusion;
  eval::BootstrapOptions bootstrap;

  Fields fields() {
    Fields fields = {
        {"weights", &weights, "of the files, in their order; empty: equal", {}, 0, 1e9},
        {"kinds",
         &kinds,
         "what arrays hold, which cannot say it: logits or probabilities, one for all files or one each",
         {"logits", "probabilities"}},
    };
    for (const Field& field : fusion.fields()) fields.push_back(field);
    for (const Field& field : bootstrap.fields()) fields.push_back(field);
    return fields;
  }
};

struct FuseArguments {
  std::vector<std::string> files, indices, search, search_indices;
  std::string output;
  std::string report;
  bool raw = false, softmax = false, compare = false, json = false;
  FuseOptions options;
  std::unique_ptr<OptionFlags> flags;
};

// A model alone, or the fusion.
struct FuseRow {
  std::string file;  // empty for the fusion
  std::string name;  // short
  std::optional<double> weight;
  eval::ScoreKind kind = eval::ScoreKind::kUnknown;
  eval::Metrics metrics;
  std::vector<bool> right;
};

struct FuseResult {
  std::int64_t clips = 0, labelled = 0;
  std::vector<std::int64_t> clips_of_files;
  std::vector<std::string> classes;
  std::vector<FuseRow> rows;  // the files, then the fusion unless they are only compared
  std::optional<eval::FoundWeights> found;
  std::optional<eval::Comparison> comparison;
  std::size_t first = 0, second = 0;  // of `rows`, that the comparison is between
};

const std::string& one_of(const std::vector<std::string>& values, std::size_t i, const char* flag, std::size_t files) {
  static const std::string kNone;
  if (values.empty()) return kNone;
  if (values.size() == 1) return values[0];
  if (values.size() != files) fail_usage("{}: {} files need one for all or one each, got {}", flag, files, values.size());
  return values[i];
}

std::vector<eval::ScoreTable> read_tables(const std::vector<std::string>& files, const std::vector<std::string>& indices,
                                          const char* index_flag, const std::vector<std::string>& kinds) {
  std::vector<eval::ScoreTable> tables;
  for (std::size_t i = 0; i < files.size(); ++i) {
    eval::ScoreTable table = eval::read_scores(files[i], one_of(indices, i, index_flag, files.size()));
    const std::string& said = one_of(kinds, i, "--kinds", files.size());
    if (!said.empty()) {
      const eval::ScoreKind kind = eval::score_kind_from_name(said);
      if (table.kind != eval::ScoreKind::kUnknown && table.kind != kind) {
        fail_usage("{}: says that it holds {}, but --kinds says {}", files[i], eval::score_kind_name(table.kind), said);
      }
      table.kind = kind;
      eval::check_table(table);
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

std::vector<eval::ScoreTable> prepared(std::vector<eval::ScoreTable> tables, const eval::FusionOptions& options) {
  tables = eval::align(std::move(tables), options);
  for (eval::ScoreTable& table : tables) table = eval::normalised(table, options.normalise);
  return tables;
}

void settle_options(FuseArguments& a) {
  eval::FusionOptions& fusion = a.options.fusion;
  if (a.raw && a.softmax) fail_usage("--raw and --softmax contradict each other");
  if ((a.raw || a.softmax) && a.flags->chosen().has_name("fuse.normalise")) {
    fail_usage("{} and --normalise contradict each other", a.raw ? "--raw" : "--softmax");
  }
  if (a.raw) fusion.normalise = "raw";
  if (a.softmax) fusion.normalise = "softmax";
  if (!a.search.empty() && !a.options.weights.empty())
    fail_usage("--search finds weights and --weights gives them: choose one");
  if (!a.search.empty() && a.search.size() != a.files.size()) {
    fail_usage("--search: {} files need as many validation files, in their order, got {}", a.files.size(), a.search.size());
  }
  if (a.compare && a.files.size() != 2) fail_usage("--compare needs two files, got {}", a.files.size());
  if (a.compare && !(a.output.empty() && a.search.empty() && a.options.weights.empty())) {
    fail_usage("--compare fuses nothing: it takes neither --output, --weights nor --search");
  }
  if (a.options.weights.empty()) a.options.weights.assign(a.files.size(), 1);
}

void check_fuse_files(const FuseArguments& a) {
  for (const std::string& validation : a.search) {
    for (const std::string& test : a.files) {
      if (is_same_file(validation, test)) {
        fail_usage("{}: is given for the test and for --search: weights must not be searched on test clips", validation);
      }
    }
  }
  std::vector<std::string> inputs;
  for (const auto* list : {&a.files, &a.indices, &a.search, &a.search_indices})
    inputs.insert(inputs.end(), list->begin(), list->end());
  for (std::size_t i = 0; i < a.search.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (is_same_file(a.search[i], a.search[k])) fail_usage("--search: {} is given twice", a.search[i]);
    }
  }
  for (std::size_t i = 0; i < a.files.size(); ++i) {
    if (!path_exists(a.files[i])) fail("{}: no such file", a.files[i]);
    for (const std::string& file : eval::score_sources_of(a.files[i], one_of(a.indices, i, "--index", a.files.size())))
      inputs.push_back(file);
  }
  if (!a.report.empty()) check_output(a.report, inputs);
  if (a.output.empty()) return;
  for (const std::string& file : eval::score_files_of(a.output)) {
    check_output(file, inputs);
    if (is_same_file(file, a.report)) fail_usage("{}: is given for the scores and for the report", file);
  }
}

eval::FoundWeights search(const FuseArguments& a, const std::vector<eval::ScoreTable>& test) {
  std::vector<eval::ScoreTable> tables = read_tables(a.search, a.search_indices, "--search-index", a.options.kinds);
  for (std::size_t i = 0; i < tables.size(); ++i) eval::check_disjoint(tables[i], test[i], a.options.fusion.match);
  for (std::size_t i = 0; i < tables.size(); ++i) eval::agree_on_classes(tables[i], test[i]);
  return eval::search_weights(prepared(std::move(tables), a.options.fusion));
}

// The files' names without their folders, where these differ.
std::vector<std::string> short_names(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) names.push_back(std::filesystem::path(file).filename().string());
  const bool differ = std::set<std::string>(names.begin(), names.end()).size() == names.size();
  return differ && !std::ranges::count(names, "fusion") ? names : files;
}

FuseRow measured(const std::string& file, const std::string& name, std::optional<double> weight,
                 const eval::ScoreTable& table) {
  const eval::ScoreTable known = eval::labelled_rows(table);
  return {file,
          name,
          weight,
          table.kind,
          eval::compute_metrics(known.scores, known.labels, table.kind),
          eval::correct_clips(known.scores, known.labels)};
}

// The fusion against the best of its parts, or the two files.
void add_comparison(FuseResult& result, const eval::BootstrapOptions& options, bool fused) {
  if (result.labelled == 0 || result.rows.size() < 2) return;
  result.first = fused ? result.rows.size() - 1 : 0;
  result.second = fused ? 0 : 1;
  for (std::size_t i = 1; fused && i + 1 < result.rows.size(); ++i) {
    if (result.rows[i].metrics.top1 > result.rows[result.second].metrics.top1) result.second = i;
  }
  result.comparison = eval::compare(result.rows[result.first].right, result.rows[result.second].right, options);
}

void warn_of_mixed_kinds(const std::vector<eval::ScoreTable>& tables) {
  for (const eval::ScoreTable& table : tables) {
    if (table.kind == tables[0].kind || table.kind == eval::ScoreKind::kUnknown ||
        tables[0].kind == eval::ScoreKind::kUnknown)
      continue;
    print_warning(fmt::format("{} holds {} and {} {}: --softmax makes them alike", tables[0].source,
                              eval::score_kind_name(tables[0].kind), table.source, eval::score_kind_name(table.kind)));
    return;
  }
}

bool could_be_probabilities(const eval::ScoreTable& table) {
  const auto width = static_cast<std::size_t>(table.class_count());
  const std::span<const float> scores = table.scores.values<float>();
  for (std::size_t begin = 0; begin < scores.size(); begin += width) {
    const auto row = scores.subspan(begin, width);
    if (std::ranges::any_of(row, [](float p) { return p < 0 || p > 1; })) return false;
    if (std::abs(std::accumulate(row.begin(), row.end(), 0.0) - 1) > 1e-3) return false;
  }
  return true;
}

// Arrays do not say what they hold; what evaluation wrote are probabilities.
void warn_of_softmax_twice(const std::vector<eval::ScoreTable>& tables, const eval::FusionOptions& options) {
  for (const eval::ScoreTable& table : tables) {
    if (options.normalise != "softmax" || table.kind != eval::ScoreKind::kUnknown || !could_be_probabilities(table)) continue;
    print_warning(fmt::format("{}: its rows add up to 1, but --softmax takes them for logits; '--kinds probabilities' says that they are not",
                              table.source));
  }
}

Json row_json(const FuseRow& row, const std::vector<std::string>& classes, bool whole) {
  Json json = Json::object();
  if (!row.file.empty()) json["file"] = row.file;
  if (row.weight) json["weight"] = *row.weight;
  json["kind"] = eval::score_kind_name(row.kind);
  Json metrics = eval::to_json(row.metrics, classes);
  if (!whole) {
    metrics.erase("classes");
    metrics.erase("confusion");
  }
  json.update(metrics);
  return json;
}

Json json_of(const FuseArguments& a, const FuseResult& result) {
  Json json = {{"clips", result.clips},
               {"labelled", result.labelled},
               {"clips_of_files", result.clips_of_files},
               {"normalise", a.options.fusion.normalise},
               {"match", a.options.fusion.match},
               {"inputs", Json::array()}};
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    if (i < a.files.size())
      json["inputs"].push_back(row_json(result.rows[i], result.classes, false));
    else
      json["fusion"] = row_json(result.rows[i], result.classes, true);
  }
  if (result.found) {
    json["search"] = {{"files", a.search},
                      {"clips", result.found->clips},
                      {"weights", result.found->weights},
                      {"top1", result.found->top1},
                      {"top1_equal_weights", result.found->top1_equal},
                      {"tried", result.found->tried}};
  }
  if (result.comparison) {
    const auto name = [&](std::size_t i) { return result.rows[i].file.empty() ? result.rows[i].name : result.rows[i].file; };
    json["comparison"] = {{"first", name(result.first)}, {"second", name(result.second)}};
    json["comparison"].update(eval::to_json(*result.comparison));
    json["comparison"]["resamples"] = a.options.bootstrap.resamples;
    json["comparison"]["seed"] = a.options.bootstrap.seed;
  }
  if (!a.output.empty()) json["output"] = a.output;
  return json;
}

std::string comparison_text(const FuseArguments& a, const FuseResult& result) {
  const eval::Comparison& c = *result.comparison;
  const std::string& first = result.rows[result.first].name;
  const std::string& second = result.rows[result.second].name;
  return fmt::format(
      "\n{} less {}: {:+.2f} points   (95 % interval {:+.2f} to {:+.2f}: paired bootstrap, {} draws)\n"
      "right in {} alone {}, in {} alone {}: p = {:.2g}   (McNemar's exact test)\n",
      first, second, 100 * c.difference, 100 * c.low, 100 * c.high, a.options.bootstrap.resamples, first, c.only_first,
      second, c.only_second, c.p_value);
}

std::string text_of(const FuseArguments& a, const FuseResult& result) {
  std::string text =
      fmt::format("{} clips, {} classes, scores {}\n", result.clips, result.classes.size(), a.options.fusion.normalise);
  for (std::size_t i = 0; i < a.files.size(); ++i) {
    if (result.clips_of_files[i] == result.clips) continue;
    text += fmt::format("{}: {} clips left out\n", a.files[i], result.clips_of_files[i] - result.clips);
  }
  if (result.labelled < result.clips)
    text += fmt::format("{} clips have no known class and do not count below\n", result.clips - result.labelled);
  if (result.found) {
    text += fmt::format("weights from {} validation clips: {:.2f} % right there, {:.2f} % with equal weights\n",
                        result.found->clips, 100 * result.found->top1, 100 * result.found->top1_equal);
  }
  if (result.labelled == 0) return text;
  std::size_t width = 10;
  for (const FuseRow& row : result.rows) width = std::max(width, row.name.size());
  text += fmt::format("\n{:<{}}  weight   top-1   95 % interval    top-5  mean class\n", "", width);
  for (const FuseRow& row : result.rows) {
    const eval::Metrics& m = row.metrics;
    text += fmt::format("{:<{}}  {:>6}  {:6.2f}  {:6.2f} to {:6.2f}  {:6.2f}      {:6.2f}\n", row.name, width,
                        row.weight ? fmt::format("{:.4g}", *row.weight) : "", 100 * m.top1, 100 * m.top1_low,
                        100 * m.top1_high, 100 * m.top5, 100 * m.mean_class_accuracy);
  }
  if (result.rows.back().metrics.calibration && !a.compare) {
    const eval::Calibration& c = *result.rows.back().metrics.calibration;
    text += fmt::format("\n{}: calibration error {:.1f} %, -log likelihood {:.4f}, Brier score {:.4f}\n",
                        result.rows.back().name, 100 * c.expected_error, c.negative_log_likelihood, c.brier);
  }
  return result.comparison ? text + comparison_text(a, result) : text;
}

int run_fuse(FuseArguments& a) {
  a.flags->apply();
  settle_options(a);
  check_fuse_files(a);
  std::vector<eval::ScoreTable> tables = read_tables(a.files, a.indices, "--index", a.options.kinds);
  FuseResult result;
  if (!a.search.empty()) {
    result.found = search(a, tables);
    a.options.weights = result.found->weights;
  }
  for (const eval::ScoreTable& table : tables) result.clips_of_files.push_back(table.clips());
  warn_of_softmax_twice(tables, a.options.fusion);
  tables = prepared(std::move(tables), a.options.fusion);
  if (!a.compare) warn_of_mixed_kinds(tables);
  result.clips = tables[0].clips();
  result.labelled = eval::labelled_rows(tables[0]).clips();
  result.classes = eval::class_names_of(tables[0]);
  if (result.labelled == 0 && a.output.empty())
    fail_usage("no class is known and no --output given: there is nothing to do");
  const eval::ScoreTable fused = eval::fuse(tables, a.options.weights);
  const std::vector<std::string> names = short_names(a.files);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto weight = a.compare ? std::nullopt : std::optional(a.options.weights[i]);
    result.rows.push_back(measured(a.files[i], names[i], weight, tables[i]));
  }
  const bool fuses = !a.compare && a.files.size() > 1;
  if (fuses) result.rows.push_back(measured({}, "fusion", std::nullopt, fused));
  add_comparison(result, a.options.bootstrap, fuses);
  const Json json = json_of(a, result);
  if (!a.report.empty()) write_file_atomically(a.report, json_text(json, 2) + "\n");
  if (!a.output.empty()) eval::write_scores(a.output, fused);
  std::fputs(a.json ? (json_text(json, 2) + "\n").c_str() : text_of(a, result).c_str(), stdout);
  return 0;
}

}  // namespace

void add_fuse(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("fuse", "add up the scores of several models, or compare two");
  auto a = std::make_shared<FuseArguments>();
  command.add_option("SCORES", a->files, "score files of the same clips: .csv, .npy or .f32")->required();
  command.add_option("-o,--output", a->output, "write the fused scores to this file");
  const auto one_each = CLI::MultiOptionPolicy::TakeAll;
  command
      .add_option("--index", a->indices,
                  "what lists the rows of .npy and .f32: once for all files, or once for each [STEM.index.txt]")
      ->allow_extra_args(false)
      ->multi_option_policy(one_each);
  command.add_option("--search", a->search,
                     "behind SCORES: find the weights on these score files of validation clips, one for each");
  command.add_option("--search-index", a->search_indices, "the same as --index for those")
      ->allow_extra_args(false)
      ->multi_option_policy(one_each);
  command.add_flag("--raw", a->raw, "add up the scores as they are, which is the default");
  command.add_flag("--softmax", a->softmax, "turn scores into probabilities first");
  command.add_flag("--compare", a->compare, "fuse nothing: is the first of two files better than the second?");
  command.add_option("--report", a->report, "also write the figures to this JSON file");
  command.add_flag("--json", a->json, "print JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add("fuse", a->options.fields());
  a->flags->add_config();
  on_run(command, [a] { return run_fuse(*a); });
}

}  // namespace actio::cli
