// eval: a table's row from trainings: several folds, several seeds, one model or several that are fused. In: scores of the
// folds' test clips. Out: accuracy and its interval.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eval/groups.h"
#include "eval/score_table.h"

namespace actio::eval {

struct FoldScores {
  std::string fold;
  ScoreTable scores;
};

struct SeedFigures {
  std::int64_t seed = 1;
  std::int64_t clips = 0;          // of all folds
  double top1 = 0;                 // share in 0..1, as measure_seed was told
  double low = 0, high = 0;        // 95 % interval over the clips (Wilson)
  double mean_class_accuracy = 0;  // of all clips
  std::vector<GroupRow> folds = {};
};

struct RowFigures {
  double top1 = 0;           // mean over the seeds
  double low = 0, high = 0;  // 95 % interval: of the mean over seeds (Student), or of one seed's clips
  std::int64_t clips = 0;
  std::vector<SeedFigures> seeds;
};

// The weighted mean of several models' scores, fold by fold. Throws: Error(kBadData) where their folds differ, or some hold
// logits and others probabilities; as eval::align.
std::vector<FoldScores> fuse_folds(std::vector<std::vector<FoldScores>> models, const std::vector<double>& weights);

// `mean_of_folds`: every fold counts the same, as in the papers' mean over official splits; else every clip does.
// Throws: Error(kBadData) for no fold, or a fold without a clip whose class is known.
SeedFigures measure_seed(std::int64_t seed, const std::vector<FoldScores>& folds, bool mean_of_folds);

// Throws: Error for no seed.
RowFigures summarise(std::vector<SeedFigures> seeds);

// Of Student's t with this many degrees of freedom: what 97.5 % of it lie below.
double student_quantile(std::int64_t degrees);

}  // namespace actio::eval
