// eval: how much each head of a network counts, from clips that it did not learn from. In: the heads' logits and the labels. Out: a factor
// for each head, so that softmax(sum of factor * logits) is the answer and means what it says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/tensor.h"

namespace actio::eval {

// How good a choice is on clips that it was not made on: the mean over parts of the clips that were left out in turn.
struct HeldOutFigures {
  double top1 = 0;
  double negative_log_likelihood = 0;  // mean, nats
  double calibration_error = 0;        // as eval::measure_calibration
};

struct HeadFusion {
  std::vector<double> factors;           // one for each head, 0 or more; they carry the temperature, too
  std::int64_t single = -1;              // the head that answers alone, because all together were worse than it beyond chance; -1: none
  double pull = 0;                       // towards equal weights, found by cross-validation
  std::int64_t clips = 0;
  HeldOutFigures fused;                  // of these factors
  HeldOutFigures equal;                  // of the plain mean of the logits
  std::vector<HeldOutFigures> alone;     // of each head with a temperature of its own
  // The largest probability that 95 % of the right answers to left-out clips reach; 0 where fewer than 20 were right. An answer below it
  // may be none of the classes.
  double reject_below = 0;
};

// Minimises the mean negative log-likelihood, which is convex in the factors, with smoothed targets (Platt's, so that clips that are all
// right do not ask for endless certainty) and a pull towards equal weights whose strength is the best of a fixed list on parts of the clips
// that are left out in turn. Clips of a group are left out together; `groups` may be empty: each clip is one of its own. A head answers alone
// where all together have a larger negative log-likelihood on left-out clips, by more than two standard errors of the clips' differences.
// Shape: logits f32 [N, classes] of each head; labels and groups N.
// Throws: Error(kUsage) for no head, and where shapes or numbers differ; Error(kBadData) for fewer than two clips or groups, or values that
// are not finite.
// Source: Guo et al., On Calibration of Modern Neural Networks, sec. 4.2 (temperature); Platt 1999, sec. 2.2 (targets); Wolpert 1992 (stacking).
HeadFusion fit_heads(const std::vector<Tensor>& logits, const std::vector<std::int64_t>& labels, const std::vector<std::string>& groups = {});

// softmax(sum of factor * logits). Shape: f32 [N, classes].
Tensor fused_probabilities(const std::vector<Tensor>& logits, const std::vector<double>& factors);

Json to_json(const HeadFusion& fusion, const std::vector<std::string>& heads);

}  // namespace actio::eval
