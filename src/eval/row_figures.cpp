#include "eval/row_figures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "eval/fusion.h"
#include "eval/metrics.h"

namespace actio::eval {
namespace {

double square(double x) { return x * x; }

// All folds' clips, one below the other; a clip may be in several.
Metrics pooled_metrics(const std::vector<ScoreTable>& tables) {
  std::vector<float> values;
  std::vector<std::int64_t> labels;
  for (const ScoreTable& table : tables) {
    if (table.class_count() != tables[0].class_count()) {
      fail_data("{}: {} classes, {} has {}", table.source, table.class_count(), tables[0].source, tables[0].class_count());
    }
    const auto rows = table.scores.values<float>();
    values.insert(values.end(), rows.begin(), rows.end());
    labels.insert(labels.end(), table.labels.begin(), table.labels.end());
  }
  return compute_metrics(Tensor::of({static_cast<std::int64_t>(labels.size()), tables[0].class_count()}, values), labels);
}

// A sum of both would mean nothing.
void refuse_mixed_kinds(const std::vector<ScoreTable>& tables) {
  for (const ScoreTable& table : tables) {
    if (table.kind == tables[0].kind || table.kind == ScoreKind::kUnknown || tables[0].kind == ScoreKind::kUnknown) continue;
    fail_data("{}: holds {}, but {} holds {}", table.source, score_kind_name(table.kind), tables[0].source,
              score_kind_name(tables[0].kind));
  }
}

}  // namespace

std::vector<FoldScores> fuse_folds(std::vector<std::vector<FoldScores>> models, const std::vector<double>& weights) {
  if (models.empty()) fail("there is nothing to fuse");
  std::vector<FoldScores> fused = models[0];
  if (models.size() == 1) return fused;
  for (std::size_t f = 0; f < fused.size(); ++f) {
    std::vector<ScoreTable> tables;
    for (std::vector<FoldScores>& folds : models) {
      const auto same = std::ranges::find(folds, fused[f].fold, &FoldScores::fold);
      if (folds.size() != fused.size() || same == folds.end()) {
        fail_data("fold '{}' is not among the {} folds of the other model", fused[f].fold, folds.size());
      }
      tables.push_back(std::move(same->scores));
    }
    refuse_mixed_kinds(tables);
    fused[f].scores = fuse(align(std::move(tables), {}), weights);
  }
  return fused;
}

SeedFigures measure_seed(std::int64_t seed, const std::vector<FoldScores>& folds, bool mean_of_folds) {
  if (folds.empty()) fail_data("there are no scores of any fold");
  SeedFigures figures;
  figures.seed = seed;
  std::vector<ScoreTable> tables;
  double sum = 0;
  for (const FoldScores& fold : folds) {
    const ScoreTable& table = tables.emplace_back(labelled_rows(fold.scores));
    if (table.clips() == 0) fail_data("{}: there is no clip whose class is known", fold.scores.source);
    const double top1 = compute_metrics(table.scores, table.labels).top1;
    figures.folds.push_back({fold.fold, table.clips(), top1});
    sum += top1;
  }
  const Metrics pooled = pooled_metrics(tables);
  figures.clips = pooled.clips;
  figures.top1 = mean_of_folds ? sum / static_cast<double>(folds.size()) : pooled.top1;
  figures.low = std::min(pooled.top1_low, figures.top1);
  figures.high = std::max(pooled.top1_high, figures.top1);
  figures.mean_class_accuracy = pooled.mean_class_accuracy;
  return figures;
}

RowFigures summarise(std::vector<SeedFigures> seeds) {
  if (seeds.empty()) fail("there is no seed to summarise");
  RowFigures row;
  row.clips = seeds[0].clips;
  const double n = static_cast<double>(seeds.size());
  for (const SeedFigures& seed : seeds) row.top1 += seed.top1 / n;
  if (seeds.size() == 1) {
    row.low = seeds[0].low;
    row.high = seeds[0].high;
  } else {
    double squares = 0;
    for (const SeedFigures& seed : seeds) squares += square(seed.top1 - row.top1);
    const double spread = student_quantile(static_cast<std::int64_t>(seeds.size()) - 1) * std::sqrt(squares / (n - 1) / n);
    row.low = std::max(0.0, row.top1 - spread);
    row.high = std::min(1.0, row.top1 + spread);
  }
  row.seeds = std::move(seeds);
  return row;
}

double student_quantile(std::int64_t degrees) {
  static constexpr std::array kSmall = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060};
  if (degrees < 1) fail("an interval over seeds needs two of them");
  if (degrees <= static_cast<std::int64_t>(kSmall.size())) return kSmall[static_cast<std::size_t>(degrees - 1)];
  // Cornish and Fisher's expansion around the normal quantile.
  constexpr double z = 1.959963984540054;
  constexpr double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  const double n = static_cast<double>(degrees);
  return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n);
}

}  // namespace actio::eval
