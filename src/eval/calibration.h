// eval: whether probabilities mean what they say. In: probabilities [N, classes] and labels. Out: calibration error and
// proper scoring rules.
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor.h"

namespace actio::eval {

inline constexpr int kCalibrationBins = 15;

struct Calibration {
  double expected_error = 0;           // mean |accuracy - confidence| over 15 bins of equal width, weighted by their clips
  double negative_log_likelihood = 0;  // mean of -ln p(true class), nats; p below 1e-12 counts as that
  double brier = 0;                    // mean squared distance from the true class's vector, 0..2
};

// probabilities: f32 [N, classes]; all zeros for no clip. Confidence is the highest probability of a clip.
// Throws: Error naming both counts, or the clip whose label or values are impossible.
// Source: Guo et al., On Calibration of Modern Neural Networks, eq. 3; Brier 1950.
Calibration measure_calibration(const Tensor& probabilities, std::span<const std::int64_t> labels);

}  // namespace actio::eval
