// The networks that are compared with their definitions in Python, small enough for seconds. Each variant of each network
// occurs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/preprocess.h"
#include "net/zoo.h"

namespace actio::testing {

struct NetworkCase {
  std::string name;
  net::NetworkOptions options;
  std::int64_t input_size = 40;
  std::int64_t block_dimension = 0;  // not 0: a single Res-Inc block of STFN on rows of this size
  bool exact_kinks = true;           // Python moves the inputs of ReLUs away from 0, so that gradients in f32 compare well

  Preprocess preprocess() const;
  net::NetSpec spec() const;
  Json json();  // as tools/golden/networks.py reads it
};

std::vector<NetworkCase> res_inc_cases();
std::vector<NetworkCase> stfn_fusion_cases();     // design a: every fusion in every direction
std::vector<NetworkCase> stfn_design_cases();
std::vector<NetworkCase> ifm_cases();
std::vector<NetworkCase> ttn_cases();
std::vector<NetworkCase> tsn_cases();
std::vector<NetworkCase> baseline_cases();        // two-stream, TRN, spatiotemporal residual and multiplier networks
std::vector<NetworkCase> resnet_cases();          // deeper ones, with bottlenecks
std::vector<NetworkCase> mobilenet_cases();
std::vector<NetworkCase> inception_cases();

}  // namespace actio::testing
