// training: clips that are mixtures of two. In: a batch. Out: the same batch, mixed.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "core/tensor.h"

namespace actio::training {

// The share of a clip's own in a mixture, 0.5..1: the larger part of a draw from Beta(strength, strength).
// Source: Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018, eq. 2; Joehnk's way to draw, 1964.
double draw_mixture(double strength, Rng& rng);

// Every clip becomes `share` of itself and the rest of the next one, the last of the first, in all inputs alike: values and kept features.
// Shape: f32 [clips * rows, ...] each. A batch of one clip stays as it is.
void mix_with_next(TensorMap& inputs, std::int64_t clips, double share);

// The labels of the clips that are mixed in.
std::vector<std::int64_t> labels_of_next(const std::vector<std::int64_t>& labels);

}  // namespace actio::training
