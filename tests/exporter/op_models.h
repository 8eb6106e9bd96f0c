// One op after another, with options that the zoo does not use.
#pragma once

#include <vector>

#include "models.h"

namespace actio::testing {

struct OpModel {
  std::string name;          // with the options
  net::Model model;          // scores and probabilities are both the op's whole value, averaged over the segments
  bool in_opencv = true;     // OpenCV 4.6 ignores the dilation of MaxPool, and fails on what an average with dilation becomes
};

std::vector<OpModel> op_models();

}  // namespace actio::testing
