// The inputs that options make, for tests of what reads them.
#pragma once

#include <string>
#include <vector>

#include "core/inputs.h"

namespace actio::testing {

// "rgb", and "motion" where there is one.
inline Inputs inputs_for(const Preprocess& preprocess, bool rgb = true, bool motion = true) {
  std::vector<std::string> names;
  if (rgb) names.emplace_back("rgb");
  if (motion && preprocess.motion != Motion::kNone) names.emplace_back("motion");
  return inputs_of(names, preprocess);
}

inline InputSpec frame_input(std::int64_t size = 224) {
  Preprocess preprocess;
  preprocess.input_size = size;
  return inputs_for(preprocess).list.at(0);
}

inline InputSpec motion_input(std::int64_t size = 224, Motion motion = Motion::kVectors) {
  Preprocess preprocess;
  preprocess.input_size = size;
  preprocess.motion = motion;
  return inputs_for(preprocess, false).list.at(0);
}

}  // namespace actio::testing
