// recognize: the answers to the views of a clip become one. In: scores of each view. Out: their mean.
#pragma once

#include <cstddef>
#include <vector>

#include "core/tensor.h"

namespace actio::recognize {

struct VideoScores {
  Tensor probabilities;  // f32 [classes]
  Tensor scores;         // f32 [classes], before softmax where the network has logits
};

// Each view counts the same.
class ViewMean {
 public:
  void add(const Tensor& probabilities, const Tensor& scores);  // f32 [classes] of one view
  VideoScores mean() const;                                     // Throws: Error where nothing was added

 private:
  std::vector<double> probabilities_, scores_;
  std::size_t views_ = 0;
};

// Shape: f32 [classes] to the same.
Tensor softmax_of(const Tensor& logits);

}  // namespace actio::recognize
