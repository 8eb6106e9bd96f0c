// recognize: an evaluation from its request to its figures. In: a request. Out: figures, a report, and the files that were asked for.
#pragma once

#include <string>
#include <vector>

#include "core/hooks.h"
#include "core/json.h"
#include "recognize/evaluation_report.h"
#include "recognize/evaluation_request.h"

namespace actio::recognize {

struct EvaluationOutcome {
  EvaluationFigures figures;
  Json report;                                      // the figures, and what they are of; null where no clip could be read
  std::vector<std::string> classes;
  std::vector<std::string> data_warnings, warnings; // one line each: of the dataset, of damaged or short clips
  std::vector<std::string> failures;                // clips that could not be read, one line each
};

// `request_file`, where the request was read from one, is not written over.
// Throws: Error(kUsage) for what contradicts itself, before any work; as load_dataset and read_model;
// Error(kInterrupted) on hooks.stop.
EvaluationOutcome run_evaluation(const EvaluationRequest& request, const Hooks& hooks = {}, const std::string& request_file = "");

}  // namespace actio::recognize
