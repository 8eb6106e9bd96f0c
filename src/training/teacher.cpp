#include "training/teacher.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "eval/score_file.h"

namespace actio::training {
namespace {

using eval::ScoreTable;

// Of the table, for each class of the model's.
std::vector<std::size_t> columns_of(const ScoreTable& table, const std::vector<std::string>& classes) {
  if (table.class_count() != static_cast<std::int64_t>(classes.size())) {
    fail_data("{}: has scores of {} classes, the data have {}", table.source, table.class_count(), classes.size());
  }
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto found = table.classes.empty() ? table.classes.end() : std::ranges::find(table.classes, classes[i]);
    if (found == table.classes.end() && !table.classes.empty()) fail_data("{}: has no scores of the class '{}'", table.source, classes[i]);
    columns.push_back(table.classes.empty() ? i : static_cast<std::size_t>(found - table.classes.begin()));
  }
  return columns;
}

std::vector<float> softened(std::span<const float> row, const std::vector<std::size_t>& columns, bool logits, double temperature) {
  constexpr double kFloor = 1e-12;  // a probability of 0 has no logarithm
  std::vector<double> values;
  for (const std::size_t column : columns) {
    const double value = row[column];
    values.push_back((logits ? value : std::log(std::max(value, kFloor))) / temperature);
  }
  const double largest = *std::ranges::max_element(values);
  double sum = 0;
  for (double& value : values) sum += value = std::exp(value - largest);
  std::vector<float> shares;
  for (const double value : values) shares.push_back(static_cast<float>(value / sum));
  return shares;
}

}  // namespace

TeacherAnswers teacher_answers(const std::string& path, double temperature, const std::vector<std::string>& classes, const std::vector<data::Item>& train) {
  const ScoreTable table = eval::read_scores(path);
  const std::vector<std::size_t> columns = columns_of(table, classes);
  const bool logits = table.kind == eval::ScoreKind::kLogits || (table.kind == eval::ScoreKind::kUnknown && !eval::could_be_probabilities(table));
  const std::span<const float> scores = table.scores.values<float>();
  const auto width = static_cast<std::size_t>(table.class_count());
  TeacherAnswers all, answers;
  for (std::size_t i = 0; i < table.paths.size(); ++i) all[table.paths[i]] = softened(scores.subspan(i * width, width), columns, logits, temperature);
  std::string missing;
  std::size_t count = 0;
  for (const data::Item& item : train) {
    const auto found = all.find(item.path);
    if (found != all.end()) answers.insert(*found);
    else if (count++ == 0) missing = item.path;
  }
  if (count > 0) fail_data("{}: has no scores of {} of {} clips to learn from, such as {}; actio evaluate --part train writes them", path, count, train.size(), missing);
  return answers;
}

}  // namespace actio::training
