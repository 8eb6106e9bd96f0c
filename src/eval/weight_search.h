// eval: weights of a fusion from validation clips. In: aligned tables whose labels are known. Out: the weights with most
// clips right.
#pragma once

#include <cstdint>
#include <vector>

#include "eval/fusion.h"

namespace actio::eval {

struct FoundWeights {
  std::vector<double> weights;  // of 0 or more; they add up to 1
  std::int64_t clips = 0;       // that were searched on
  double top1 = 0;              // on them, with these weights; optimistic
  double top1_equal = 0;        // with equal weights
  std::int64_t tried = 0;       // combinations
};

// All weights on a grid of at most 1/20 (coarser for more tables, so that no more than 2,000 are tried); among weights that
// do equally well those nearest to equal win. Then weight is moved between two tables at a time, to the middle of the range
// in which most clips are right, which is computed exactly, for as long as that makes more clips right. The result does not
// depend on chance. Throws: Error(kUsage) for fewer than two tables or more than 8; Error(kBadData) where no label is known.
FoundWeights search_weights(const std::vector<ScoreTable>& tables);

// Throws: Error(kUsage) naming a clip that is in both, by clip_key (eval/fusion.h), or saying that half of the rows of
// scores or more are the same: weights that were found on clips say nothing about them.
void check_disjoint(const ScoreTable& validation, const ScoreTable& test, ClipMatch match);

}  // namespace actio::eval
