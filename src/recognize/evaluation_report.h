// recognize: what an evaluation comes to. In: scores of clips. Out: figures, as JSON and as text.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"
#include "eval/groups.h"
#include "eval/metrics.h"
#include "recognize/evaluation.h"

namespace actio::recognize {

struct EvaluationFigures {
  eval::Metrics metrics;
  eval::GroupMetrics groups;
};

EvaluationFigures measure(const eval::ScoreTable& table, const Evaluation& evaluation);

// {"name", "segments", "places", "crops", "views", "average"}.
Json protocol_json(const TestOptions& test, const data::Protocol& protocol, const Recognizer& recognizer, eval::ScoreKind kind);

// `json` holds the protocol and the failures.
std::string text_of(const EvaluationFigures& figures, const Json& json, const std::vector<std::string>& classes);

}  // namespace actio::recognize
