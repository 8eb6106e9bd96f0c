// Networks of the zoo, small enough to be run in every precision.
#pragma once

#include <string>

#include "net/zoo.h"

namespace actio::testing {

inline net::NetSpec small_network(net::NetworkKind kind, net::BackboneKind backbone) {
  net::NetworkOptions options;
  options.network = kind;
  options.backbone = backbone;
  options.width = 0.5;
  options.classes = 5;
  options.segments = 3;
  options.streams = "rgb,motion";
  Preprocess preprocess;
  preprocess.input_size = 96;
  preprocess.motion = Motion::kVectors;
  preprocess.motion_length = 2;
  return net::build_network(options, preprocess);
}

// STFN's answers are probabilities, which random weights make certain: what they are made of tells more.
inline std::string compared_value(const net::NetSpec& spec) { return spec.name.starts_with("stfn") ? "stfn.head_a.fc" : spec.scores; }

}  // namespace actio::testing
