// Small score tables for tests.
#pragma once

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "eval/score_table.h"

namespace actio::testing {

inline eval::ScoreTable table_of(std::vector<std::string> paths, std::vector<std::int64_t> labels, std::int64_t classes,
                                 const std::vector<float>& scores, const std::string& source = "scores") {
  eval::ScoreTable table;
  table.source = source;
  const auto clips = static_cast<std::int64_t>(paths.size());
  table.paths = std::move(paths);
  table.labels = std::move(labels);
  table.scores = Tensor::of({clips, classes}, scores);
  return table;
}

// Scores that are right by `strength` more than chance; the same seed gives the same labels.
inline eval::ScoreTable random_table(std::int64_t clips, std::int64_t classes, double strength, std::uint64_t stream,
                                     const std::string& prefix = "clip") {
  Rng labels(5), noise(7, stream);
  std::vector<std::string> paths;
  std::vector<std::int64_t> truth;
  std::vector<float> scores;
  for (std::int64_t i = 0; i < clips; ++i) {
    paths.push_back(prefix + std::to_string(i) + ".avi");
    truth.push_back(labels.below(classes));
    for (std::int64_t c = 0; c < classes; ++c) {
      scores.push_back(static_cast<float>(noise.normal() + (c == truth.back() ? strength : 0)));
    }
  }
  return table_of(paths, truth, classes, scores, prefix + std::to_string(stream));
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// The bytes of numbers as they lie in memory.
template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace actio::testing
