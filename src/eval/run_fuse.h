// eval: adds up the scores of several models, or compares two. In: score files and how to treat them. Out: files, and what is to be told.
#pragma once

#include <string>
#include <vector>

#include "core/hooks.h"
#include "core/options.h"
#include "eval/fusion.h"
#include "eval/significance.h"

namespace actio::eval {

struct FuseOptions {
  std::vector<double> weights;
  std::vector<std::string> kinds;
  FusionOptions fusion;
  BootstrapOptions bootstrap;

  Fields fields();
};

struct FuseRequest {
  std::vector<std::string> files, indices;          // what lists the rows of each array: none, one for all, or one each
  std::vector<std::string> search, search_indices;  // of validation clips, to find weights on
  std::string output, report;                       // files; empty: none
  bool raw = false, softmax = false, compare = false;
  bool normalise_chosen = false;  // options.fusion.normalise was asked for
  FuseOptions options;
};

struct FuseOutcome {
  std::string text, json;
};

// Throws: Error(kUsage) for what contradicts itself, for weights searched on test clips, and where there is nothing to do; as read_scores.
FuseOutcome run_fuse(FuseRequest request, const WarnFn& warn);

}  // namespace actio::eval
