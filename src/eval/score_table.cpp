#include "eval/score_table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>

#include "core/error.h"
#include "core/options.h"
#include "data/list_file.h"

namespace actio::eval {
namespace {

constexpr double kSumTolerance = 1e-3;  // of the probabilities of a row, which may be sums of rounded ones

void check_row(const ScoreTable& table, std::int64_t i) {
  const std::size_t at = static_cast<std::size_t>(i);
  const std::string clip = data::shown(table.paths[at]);
  if (table.labels[at] < -1 || table.labels[at] >= table.class_count()) {
    fail_data("{}: clip '{}' has label {}, there are {} classes", table.source, clip, table.labels[at], table.class_count());
  }
  const Tensor row = table.scores.rows(i, 1);
  double sum = 0;
  for (std::int64_t c = 0; c < table.class_count(); ++c) {
    const float value = row.values<float>()[static_cast<std::size_t>(c)];
    if (!std::isfinite(value))
      fail_data("{}: clip '{}', class {}: the score is {}, not a finite number", table.source, clip, c, value);
    if (table.kind == ScoreKind::kProbabilities && (value < 0 || value > 1 + kSumTolerance)) {
      fail_data("{}: clip '{}', class {}: {} is not a probability, which the rows are said to be", table.source, clip, c,
                value);
    }
    sum += value;
  }
  if (table.kind == ScoreKind::kProbabilities && std::abs(sum - 1) > kSumTolerance) {
    fail_data("{}: clip '{}': the row is said to hold probabilities, but adds up to {:.6g} and not to 1", table.source, clip,
              sum);
  }
}

}  // namespace

std::string_view score_kind_name(ScoreKind kind) {
  switch (kind) {
    case ScoreKind::kLogits: return "logits";
    case ScoreKind::kProbabilities: return "probabilities";
    case ScoreKind::kUnknown: return "";
  }
  return "";
}

ScoreKind score_kind_from_name(std::string_view name) {
  if (name == "logits") return ScoreKind::kLogits;
  if (name == "probabilities") return ScoreKind::kProbabilities;
  fail_usage("{}", unknown_name_text("kind of scores", name, {"logits", "probabilities"}));
}

void check_table(const ScoreTable& table) {
  if (table.scores.shape().size() != 2) {
    fail_data("{}: expected scores [clips, classes], got {}", table.source, shape_text(table.scores.shape()));
  }
  if (table.clips() < 1 || table.class_count() < 1) {
    fail_data("{}: {} clips and {} classes; one of each is needed at least", table.source, table.clips(),
              table.class_count());
  }
  const auto count = static_cast<std::size_t>(table.clips());
  if (table.paths.size() != count || table.labels.size() != count) {
    fail_data("{}: {} rows of scores, {} paths and {} labels", table.source, count, table.paths.size(), table.labels.size());
  }
  if (!table.classes.empty() && table.classes.size() != static_cast<std::size_t>(table.class_count())) {
    fail_data("{}: {} columns of scores and {} class names", table.source, table.class_count(), table.classes.size());
  }
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < count; ++i) {
    if (table.paths[i].empty()) fail_data("{}: row {} has no path", table.source, i + 1);
    const auto [found, is_new] = seen.emplace(table.paths[i], i);
    if (!is_new) {
      fail_data("{}: clip '{}' occurs twice, in rows {} and {}", table.source, data::shown(table.paths[i]),
                found->second + 1, i + 1);
    }
    check_row(table, static_cast<std::int64_t>(i));
  }
}

bool could_be_probabilities(const ScoreTable& table) {
  const auto width = static_cast<std::size_t>(table.class_count());
  const std::span<const float> scores = table.scores.values<float>();
  for (std::size_t begin = 0; begin < scores.size(); begin += width) {
    const auto row = scores.subspan(begin, width);
    if (std::ranges::any_of(row, [](float p) { return p < 0 || p > 1; })) return false;
    if (std::abs(std::accumulate(row.begin(), row.end(), 0.0) - 1) > 1e-3) return false;
  }
  return true;
}

std::vector<std::string> class_names_of(const ScoreTable& table) {
  std::vector<std::string> names = table.classes;
  for (std::int64_t c = 0; table.classes.empty() && c < table.class_count(); ++c) names.push_back(std::to_string(c));
  return names;
}

ScoreTable rows_of(const ScoreTable& table, const std::vector<std::size_t>& indices) {
  ScoreTable some{
      table.source, {}, {}, table.classes, Tensor({static_cast<std::int64_t>(indices.size()), table.class_count()}),
      table.kind};
  const auto width = static_cast<std::size_t>(table.class_count());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    some.paths.push_back(table.paths[indices[i]]);
    some.labels.push_back(table.labels[indices[i]]);
    std::memcpy(some.scores.data<float>() + i * width, table.scores.data<float>() + indices[i] * width,
                width * sizeof(float));
  }
  return some;
}

ScoreTable labelled_rows(const ScoreTable& table) {
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < table.labels.size(); ++i) {
    if (table.labels[i] >= 0) known.push_back(i);
  }
  return known.size() == table.labels.size() ? table : rows_of(table, known);
}

}  // namespace actio::eval
