// explain: what a class activation map needs of a network. In: a network. Out: for each head the features that it averages, and the layer that weighs them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/netspec.h"

namespace actio::explain {

// logit = mean over the rows of (weight * mean over the cells of the features) + bias: everything behind the features is linear, so that the mean may as
// well be taken last. Source: Zhou et al., Learning deep features for discriminative localization, equation 1.
struct PooledHead {
  std::string name;      // "rgb"
  std::string node;      // the head's, clip by clip
  std::string features;  // node: [C, h, w] of a row
  std::string linear;    // node: prefix of the weights
  net::Granularity granularity = net::Granularity::kSnippet;  // of the features
};

struct PooledHeads {
  std::vector<PooledHead> heads;
  std::vector<std::string> others;  // a line for each head that has no exact map, and why
};

// Of what a model answers: heads for training alone are left out. Throws: as net::infer.
PooledHeads pooled_heads(const net::NetSpec& spec);

}  // namespace actio::explain
