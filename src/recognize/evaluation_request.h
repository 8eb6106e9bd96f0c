// recognize: an evaluation that is asked for, and that as one JSON file, for a child process, a queue or another machine. In: a
// request. Out: the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/chosen.h"
#include "data/dataset.h"
#include "data/flow_cache.h"
#include "data/read_limits.h"
#include "recognize/evaluation.h"
#include "runtime/run_options.h"

namespace actio::recognize {

struct EvaluationRequest {
  std::string model, data;
  std::string part;          // "test", "train", "validation", "all"; empty: test where the clips are divided, else all
  std::string report;        // file of the figures as JSON; empty: none
  std::string scores;        // file of the scores of every clip; empty: none
  std::int64_t workers = 2;  // videos decoded ahead
  data::DatasetOptions dataset;
  TestOptions test;
  runtime::RunOptions runtime;
  data::FlowCacheOptions cache;
  data::ReadLimits limits;
  Chosen chosen;  // of these options
};

// Throws: as write_request_json.
void write_request(const std::filesystem::path& path, const EvaluationRequest& request);

// Throws: as read_request_json.
EvaluationRequest read_request(const std::filesystem::path& path);

}  // namespace actio::recognize
