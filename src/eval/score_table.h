// eval: what a model answered to each clip of a dataset. In: rows of scores with the clips' names and labels. Out: the
// currency between evaluation, score files and fusion.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace actio::eval {

enum class ScoreKind { kUnknown, kLogits, kProbabilities };

// "logits", "probabilities"; "" for kUnknown.
std::string_view score_kind_name(ScoreKind kind);

// Throws: Error(kUsage) naming the nearest kind.
ScoreKind score_kind_from_name(std::string_view name);

struct ScoreTable {
  std::string source;                // the file, for messages
  std::vector<std::string> paths;    // of the clips, each once
  std::vector<std::int64_t> labels;  // -1 where the true class is not known
  std::vector<std::string> classes;  // empty where the file does not name them
  Tensor scores;                     // f32 [N, C]
  ScoreKind kind = ScoreKind::kUnknown;

  std::int64_t clips() const { return scores.dim(0); }
  std::int64_t class_count() const { return scores.dim(1); }
};

// Throws: Error(kBadData) naming the source and what is wrong: no clip or no class, counts that differ, a clip that occurs
// twice, a label outside of the classes, a score that is not finite, or rows that are called probabilities and are none.
void check_table(const ScoreTable& table);

// Whether each row has numbers from 0 to 1 that add up to 1.
bool could_be_probabilities(const ScoreTable& table);

// The names of the classes; "0", "1", ... where there are none.
std::vector<std::string> class_names_of(const ScoreTable& table);

// Rows where the true class is known. Shares nothing with `table` where some are left out.
ScoreTable labelled_rows(const ScoreTable& table);

// Rows in the order of `indices`.
ScoreTable rows_of(const ScoreTable& table, const std::vector<std::size_t>& indices);

}  // namespace actio::eval
