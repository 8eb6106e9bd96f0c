#include "eval/fusion.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <span>
#include <unordered_map>

#include "core/error.h"
#include "data/list_file.h"
#include "data/video_files.h"

namespace fs = std::filesystem;

namespace actio::eval {
namespace {

using Places = std::unordered_map<std::string, std::size_t>;

Places places_of(const ScoreTable& table, ClipMatch match) {
  Places places;
  for (std::size_t i = 0; i < table.paths.size(); ++i) {
    const auto [found, is_new] = places.emplace(clip_key(table.paths[i], match), i);
    if (is_new) continue;
    fail_data("{}: '{}' and '{}' count as the same clip{}", table.source, data::shown(table.paths[found->second]),
              data::shown(table.paths[i]), match == ClipMatch::kName ? "; match them by path" : "");
  }
  return places;
}

[[noreturn]] void fail_missing(const ScoreTable& has, const ScoreTable& lacks, const std::string& path,
                               ClipMatch match) {
  fail_data("{}: clip '{}' of {} is missing; {} and {} clips{}", lacks.source, data::shown(path), has.source, lacks.clips(),
            has.clips(),
            match == ClipMatch::kPath ? " ('--match name' compares file names alone, '--common' leaves such clips out)"
                            : " ('--common' leaves such clips out)");
}

// Row of each table for each clip that is kept.
std::vector<std::vector<std::size_t>> matched_rows(const std::vector<ScoreTable>& tables, const FusionOptions& options) {
  std::vector<Places> places;
  for (const ScoreTable& table : tables) places.push_back(places_of(table, options.match));
  std::vector<std::vector<std::size_t>> rows(tables.size());
  for (std::size_t i = 0; i < tables[0].paths.size(); ++i) {
    const std::string key = clip_key(tables[0].paths[i], options.match);
    const auto without = std::ranges::find_if(places, [&](const Places& p) { return !p.contains(key); });
    if (without != places.end()) {
      if (options.common) continue;
      fail_missing(tables[0], tables[static_cast<std::size_t>(without - places.begin())], tables[0].paths[i], options.match);
    }
    for (std::size_t t = 0; t < tables.size(); ++t) rows[t].push_back(places[t].at(key));
  }
  for (std::size_t t = 1; t < tables.size() && !options.common; ++t) {
    for (const std::string& path : tables[t].paths) {
      if (!places[0].contains(clip_key(path, options.match))) fail_missing(tables[t], tables[0], path, options.match);
    }
  }
  if (rows[0].empty()) fail_data("{} and {} have no clip in common", tables[0].source, tables[1].source);
  return rows;
}

void share_classes(std::vector<ScoreTable>& tables) {
  const auto named = std::ranges::find_if(tables, [](const ScoreTable& table) { return !table.classes.empty(); });
  if (named == tables.end()) {
    for (const ScoreTable& table : tables) agree_on_classes(tables[0], table);
    return;
  }
  const std::vector<std::string> classes = named->classes;
  for (ScoreTable& table : tables) {
    agree_on_classes(*named, table);
    table.classes = classes;
  }
}

std::string label_text(const ScoreTable& table, std::int64_t label) {
  const auto index = static_cast<std::size_t>(label);
  return index < table.classes.size() ? "'" + data::shown(table.classes[index]) + "'" : std::to_string(label);
}

void agree_on_labels(std::vector<ScoreTable>& tables) {
  for (std::size_t i = 0; i < tables[0].labels.size(); ++i) {
    const ScoreTable* knows = nullptr;
    for (const ScoreTable& table : tables) {
      if (table.labels[i] < 0) continue;
      if (knows == nullptr) knows = &table;
      if (table.labels[i] != knows->labels[i]) {
        fail_data("{}: clip '{}' has label {}, but in {} it has {}", table.source, data::shown(table.paths[i]),
                  label_text(table, table.labels[i]), knows->source, label_text(*knows, knows->labels[i]));
      }
    }
    if (knows == nullptr) continue;
    const std::int64_t label = knows->labels[i];
    for (ScoreTable& table : tables) table.labels[i] = label;
  }
}

void softmax(std::span<float> row) {
  const double highest = *std::ranges::max_element(row);
  double sum = 0;
  for (const float x : row) sum += std::exp(x - highest);
  for (float& x : row) x = static_cast<float>(std::exp(x - highest) / sum);
}

// To mean 0 where `centred`, and to length 1 or deviation 1.
void scale(std::span<float> row, bool centred) {
  const auto n = static_cast<double>(row.size());
  const double mean = centred ? std::accumulate(row.begin(), row.end(), 0.0) / n : 0;
  double squares = 0;
  for (const float x : row) squares += (x - mean) * (x - mean);
  const double length = std::sqrt(centred ? squares / n : squares);
  for (float& x : row) x = length > 0 ? static_cast<float>((x - mean) / length) : 0;
}

// What the mean of such rows is: of a kind only where all are.
ScoreKind kind_of(const std::vector<ScoreTable>& tables) {
  const bool same = std::ranges::all_of(tables, [&](const ScoreTable& t) { return t.kind == tables[0].kind; });
  return same ? tables[0].kind : ScoreKind::kUnknown;
}

}  // namespace

Fields FusionOptions::fields() {
  return {
      choice_field("normalise", &normalise,
                   "what is done to each row before it is weighted; --raw and --softmax are short for the first two"),
      choice_field("match", &match, "clips are the same by their path without a video's extension, or by their file name alone"),
      {"common", &common, "leave out clips that not every file has, instead of refusing them"},
  };
}

std::string clip_key(const std::string& path, ClipMatch match) {
  fs::path clip = fs::path(path).lexically_normal();
  if (data::is_video(clip)) clip.replace_extension();
  return match == ClipMatch::kName ? clip.filename().string() : clip.string();
}

void agree_on_classes(const ScoreTable& a, const ScoreTable& b) {
  if (a.class_count() != b.class_count()) {
    const ScoreTable& more = b.class_count() > a.class_count() ? b : a;
    const ScoreTable& less = &more == &b ? a : b;
    const auto extra = std::ranges::find_if(more.classes, [&](const std::string& name) {
      return !less.classes.empty() && std::ranges::find(less.classes, name) == less.classes.end();
    });
    fail_data("{} has {} classes, but {} has {}{}", b.source, b.class_count(), a.source, a.class_count(),
              extra == more.classes.end() ? "" : fmt::format("; {} has no class '{}'", less.source, data::shown(*extra)));
  }
  if (a.classes.empty() || b.classes.empty()) return;
  const auto [in_a, in_b] = std::ranges::mismatch(a.classes, b.classes);
  if (in_a == a.classes.end()) return;
  fail_data("{}: class {} is '{}', but in {} it is '{}'", b.source, in_b - b.classes.begin(), data::shown(*in_b), a.source,
            data::shown(*in_a));
}

std::vector<ScoreTable> align(std::vector<ScoreTable> tables, const FusionOptions& options) {
  if (tables.empty()) fail_usage("there are no scores to fuse");
  share_classes(tables);
  const auto rows = matched_rows(tables, options);
  for (std::size_t t = 0; t < tables.size(); ++t) tables[t] = rows_of(tables[t], rows[t]);
  agree_on_labels(tables);
  return tables;
}

ScoreTable normalised(const ScoreTable& table, Normalisation way) {
  const bool is_softmax = way == Normalisation::kSoftmax;
  if (way == Normalisation::kRaw || (is_softmax && table.kind == ScoreKind::kProbabilities)) return table;
  ScoreTable result = table;
  result.scores = table.scores.clone();
  result.kind = is_softmax ? ScoreKind::kProbabilities : ScoreKind::kUnknown;
  const auto width = static_cast<std::size_t>(table.class_count());
  for (std::int64_t i = 0; i < table.clips(); ++i) {
    const std::span<float> row(result.scores.data<float>() + static_cast<std::size_t>(i) * width, width);
    if (is_softmax)
      softmax(row);
    else
      scale(row, way == Normalisation::kStandardise);
  }
  return result;
}

ScoreTable fuse(const std::vector<ScoreTable>& tables, const std::vector<double>& weights) {
  if (tables.empty() || weights.size() != tables.size()) {
    fail_usage("weights: {} files need as many weights, got {}", tables.size(), weights.size());
  }
  double sum = 0;
  for (const double weight : weights) {
    if (!(weight >= 0) || !std::isfinite(weight))
      fail_usage("weights: a weight must be a number of 0 or more, got {}", weight);
    sum += weight;
  }
  if (!(sum > 0) || !std::isfinite(sum))
    fail_usage("weights: one at least must be above 0, got {}", fmt::join(weights, ","));
  ScoreTable fused = tables[0];
  fused.source = "fusion";
  fused.kind = kind_of(tables);
  fused.scores = Tensor(tables[0].scores.shape());
  float* out = fused.scores.data<float>();
  for (std::int64_t k = 0; k < fused.scores.numel(); ++k) {
    double value = 0;
    for (std::size_t t = 0; t < tables.size(); ++t) value += weights[t] * tables[t].scores.data<float>()[k];
    out[k] = static_cast<float>(value / sum);
  }
  return fused;
}

}  // namespace actio::eval
