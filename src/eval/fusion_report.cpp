#include "eval/fusion_report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <span>
#include <utility>

#include "core/error.h"

namespace actio::eval {
namespace {

// The files' names without their folders, where these differ.
std::vector<std::string> short_names(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) names.push_back(std::filesystem::path(file).filename().string());
  const bool differ = std::set<std::string>(names.begin(), names.end()).size() == names.size();
  return differ && !std::ranges::count(names, "fusion") ? names : files;
}

FusedRow measured(const std::string& file, const std::string& name, std::optional<double> weight,
                 const ScoreTable& table) {
  const ScoreTable known = labelled_rows(table);
  return {file,
          name,
          weight,
          table.kind,
          compute_metrics(known.scores, known.labels, table.kind),
          correct_clips(known.scores, known.labels)};
}

// The fusion against the best of its parts, or the two files.
void add_comparison(FusionReport& result, const BootstrapOptions& options, bool fused) {
  if (result.labelled == 0 || result.rows.size() < 2) return;
  result.first = fused ? result.rows.size() - 1 : 0;
  result.second = fused ? 0 : 1;
  for (std::size_t i = 1; fused && i + 1 < result.rows.size(); ++i) {
    if (result.rows[i].metrics.top1 > result.rows[result.second].metrics.top1) result.second = i;
  }
  result.comparison = compare(result.rows[result.first].right, result.rows[result.second].right, options);
}

Json row_json(const FusedRow& row, const std::vector<std::string>& classes, bool whole) {
  Json json = Json::object();
  if (!row.file.empty()) json["file"] = row.file;
  if (row.weight) json["weight"] = *row.weight;
  json["kind"] = score_kind_name(row.kind);
  Json metrics = to_json(row.metrics, classes);
  if (!whole) {
    metrics.erase("classes");
    metrics.erase("confusion");
  }
  json.update(metrics);
  return json;
}

std::string comparison_text(const FusionSetup& setup, const FusionReport& result) {
  const Comparison& c = *result.comparison;
  const std::string& first = result.rows[result.first].name;
  const std::string& second = result.rows[result.second].name;
  return fmt::format(
      "\n{} less {}: {:+.2f} points   (95 % interval {:+.2f} to {:+.2f}: paired bootstrap, {} draws)\n"
      "right in {} alone {}, in {} alone {}: p = {:.2g}   (McNemar's exact test)\n",
      first, second, 100 * c.difference, 100 * c.low, 100 * c.high, setup.bootstrap.resamples, first, c.only_first,
      second, c.only_second, c.p_value);
}

}  // namespace

// Arrays do not say what they hold; what evaluation wrote are probabilities.
std::vector<std::string> softmax_warnings(const std::vector<ScoreTable>& tables, const FusionOptions& options) {
  std::vector<std::string> warnings;
  for (const ScoreTable& table : tables) {
    if (options.normalise != Normalisation::kSoftmax || table.kind != ScoreKind::kUnknown || !could_be_probabilities(table)) continue;
    warnings.push_back(fmt::format("{}: its rows add up to 1, but --softmax takes them for logits; '--kinds probabilities' says that they are not",
                              table.source));
  }
  return warnings;
}

std::vector<std::string> kind_warnings(const std::vector<ScoreTable>& tables) {
  for (const ScoreTable& table : tables) {
    if (table.kind == tables[0].kind || table.kind == ScoreKind::kUnknown ||
        tables[0].kind == ScoreKind::kUnknown)
      continue;
    return {fmt::format("{} holds {} and {} {}: --softmax makes them alike", tables[0].source,
                              score_kind_name(tables[0].kind), table.source, score_kind_name(table.kind))};
  }
  return {};
}

FusionReport report_of(const FusionSetup& setup, const std::vector<ScoreTable>& tables, const ScoreTable& fused,
                       std::vector<std::int64_t> clips_of_files) {
  FusionReport report;
  report.clips_of_files = std::move(clips_of_files);
  report.clips = tables[0].clips();
  report.labelled = labelled_rows(tables[0]).clips();
  report.classes = class_names_of(tables[0]);
  const std::vector<std::string> names = short_names(setup.files);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto weight = setup.compare ? std::nullopt : std::optional(setup.weights[i]);
    report.rows.push_back(measured(setup.files[i], names[i], weight, tables[i]));
  }
  const bool fuses = !setup.compare && setup.files.size() > 1;
  if (fuses) report.rows.push_back(measured({}, "fusion", std::nullopt, fused));
  add_comparison(report, setup.bootstrap, fuses);
  return report;
}

Json to_json(const FusionSetup& setup, const FusionReport& result) {
  Json json = {{"clips", result.clips},
               {"labelled", result.labelled},
               {"clips_of_files", result.clips_of_files},
               {"normalise", name_of(setup.fusion.normalise)},
               {"match", name_of(setup.fusion.match)},
               {"inputs", Json::array()}};
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    if (i < setup.files.size())
      json["inputs"].push_back(row_json(result.rows[i], result.classes, false));
    else
      json["fusion"] = row_json(result.rows[i], result.classes, true);
  }
  if (setup.found) {
    json["search"] = {{"files", setup.search_files},
                      {"clips", setup.found->clips},
                      {"weights", setup.found->weights},
                      {"top1", setup.found->top1},
                      {"top1_equal_weights", setup.found->top1_equal},
                      {"tried", setup.found->tried}};
  }
  if (result.comparison) {
    const auto name = [&](std::size_t i) { return result.rows[i].file.empty() ? result.rows[i].name : result.rows[i].file; };
    json["comparison"] = {{"first", name(result.first)}, {"second", name(result.second)}};
    json["comparison"].update(to_json(*result.comparison));
    json["comparison"]["resamples"] = setup.bootstrap.resamples;
    json["comparison"]["seed"] = setup.bootstrap.seed;
  }
  if (!setup.output.empty()) json["output"] = setup.output;
  return json;
}

std::string text_of(const FusionSetup& setup, const FusionReport& result) {
  std::string text =
      fmt::format("{} clips, {} classes, scores {}\n", result.clips, result.classes.size(), name_of(setup.fusion.normalise));
  for (std::size_t i = 0; i < setup.files.size(); ++i) {
    if (result.clips_of_files[i] == result.clips) continue;
    text += fmt::format("{}: {} clips left out\n", setup.files[i], result.clips_of_files[i] - result.clips);
  }
  if (result.labelled < result.clips)
    text += fmt::format("{} clips have no known class and do not count below\n", result.clips - result.labelled);
  if (setup.found) {
    text += fmt::format("weights from {} validation clips: {:.2f} % right there, {:.2f} % with equal weights\n",
                        setup.found->clips, 100 * setup.found->top1, 100 * setup.found->top1_equal);
  }
  if (result.labelled == 0) return text;
  std::size_t width = 10;
  for (const FusedRow& row : result.rows) width = std::max(width, row.name.size());
  text += fmt::format("\n{:<{}}  weight   top-1   95 % interval    top-5  mean class\n", "", width);
  for (const FusedRow& row : result.rows) {
    const Metrics& m = row.metrics;
    text += fmt::format("{:<{}}  {:>6}  {:6.2f}  {:6.2f} to {:6.2f}  {:6.2f}      {:6.2f}\n", row.name, width,
                        row.weight ? fmt::format("{:.4g}", *row.weight) : "", 100 * m.top1, 100 * m.top1_low,
                        100 * m.top1_high, 100 * m.top5, 100 * m.mean_class_accuracy);
  }
  if (result.rows.back().metrics.calibration && !setup.compare) {
    const Calibration& c = *result.rows.back().metrics.calibration;
    text += fmt::format("\n{}: calibration error {:.1f} %, -log likelihood {:.4f}, Brier score {:.4f}\n",
                        result.rows.back().name, 100 * c.expected_error, c.negative_log_likelihood, c.brier);
  }
  return result.comparison ? text + comparison_text(setup, result) : text;
}

}  // namespace actio::eval
