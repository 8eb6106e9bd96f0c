// eval: what a fusion of score files comes to: each file and the fusion measured, and compared. In: tables over the same clips. Out:
// figures, as JSON and as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "eval/fusion.h"
#include "eval/metrics.h"
#include "eval/score_table.h"
#include "eval/significance.h"
#include "eval/weight_search.h"

namespace actio::eval {

struct FusionSetup {
  std::vector<std::string> files;         // of the tables, in their order
  std::vector<double> weights;            // of them
  std::vector<std::string> search_files;  // of validation clips, on which the weights were found; empty: they were given
  std::optional<FoundWeights> found;
  FusionOptions fusion;
  BootstrapOptions bootstrap;
  bool compare = false;  // two files are compared, nothing is fused
  std::string output;    // the file that the fused scores go to; empty: none
};

// A model alone, or the fusion.
struct FusedRow {
  std::string file;  // empty for the fusion
  std::string name;  // short
  std::optional<double> weight;
  ScoreKind kind = ScoreKind::kUnknown;
  Metrics metrics;
  std::vector<bool> right;
};

struct FusionReport {
  std::int64_t clips = 0, labelled = 0;
  std::vector<std::int64_t> clips_of_files;
  std::vector<std::string> classes;
  std::vector<FusedRow> rows;  // the files, then the fusion unless they are only compared
  std::optional<Comparison> comparison;
  std::size_t first = 0, second = 0;  // of `rows`, that the comparison is between
};

// Scores that should not be added up as they are: a line each. Before the rows are normalised, and after.
std::vector<std::string> softmax_warnings(const std::vector<ScoreTable>& tables, const FusionOptions& options);
std::vector<std::string> kind_warnings(const std::vector<ScoreTable>& normalised_tables);

// `tables` are aligned and normalised, `fused` is their fusion; `clips_of_files` are the clips of each before that.
FusionReport report_of(const FusionSetup& setup, const std::vector<ScoreTable>& tables, const ScoreTable& fused,
                       std::vector<std::int64_t> clips_of_files);

Json to_json(const FusionSetup& setup, const FusionReport& report);
std::string text_of(const FusionSetup& setup, const FusionReport& report);

}  // namespace actio::eval
