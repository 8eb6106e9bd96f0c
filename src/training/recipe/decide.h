// training: the settings of a training that suit the data, the machine and the first weights. In: facts, and what the user chose. Out:
// tables as a TOML file has them, with reasons.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"
#include "training/recipe/facts.h"
#include "training/spec.h"

namespace actio::training {

struct Decision {
  std::string what, value, reason;
};

struct Recipe {
  Json tables = Json::object();  // [network], [preprocess], [train] and [[stage]]
  std::vector<Decision> decisions;
};

// How much a recipe spends, from all that pays to what gives a first figure soon.
inline constexpr int kDearest = 0, kQuickest = 4;

// What `spec` has chosen is kept, and decides what follows from it. `thrift` is from kDearest to kQuickest: each step saves time.
// Throws: Error(kUsage) for a network that recipes are not made for.
Recipe decide(const DataFacts& data, const MachineFacts& machine, const WeightFacts& weights, const TrainSpec& spec, int thrift);

}  // namespace actio::training
