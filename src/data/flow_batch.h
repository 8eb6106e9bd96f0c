// data: the optical flow of many videos. In: their paths. Out: a folder of flow files, and what became of each video.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "core/progress.h"
#include "data/read_limits.h"
#include "motion/flow_image.h"

namespace actio::data {

struct FlowBatch {
  std::vector<std::string> videos;
  std::filesystem::path folder;
  motion::FlowSettings settings;
  int threads = 1;       // several videos at a time; where there are fewer videos than threads, several fields of each
  bool replace = false;  // compute what is there with other parameters anew, instead of refusing
  ReadLimits limits = {};
};

struct FlowBatchReport {
  std::int64_t videos = 0, computed = 0, skipped = 0;  // skipped: its flow was there, whole and with the same parameters
  std::int64_t fields = 0;                             // computed
  std::int64_t bytes = 0;                              // of the files that were written
  double seconds = 0;
  std::vector<std::string> failures, warnings;         // one line each
};

// A video that fails is reported and stops no other. `progress` counts fields; it is called from the threads, one at a time.
// Throws: Error(kUsage) for a flow file of other parameters, FlowStoreError where nothing can be written, Error(kInterrupted)
// on `stop`; what was finished before stays, and the next run skips it.
FlowBatchReport extract_flows(const FlowBatch& batch, const ProgressFn& progress = {}, const std::stop_token& stop = {});

// The videos that `source` stands for: itself; those in a folder, at any depth; or those that a dataset's list names. Each
// once, in a fixed order.
// Throws: Error(kFailed) for a missing path; as load_dataset; Error(kBadData) for a folder without a video.
std::vector<std::string> find_videos(const std::string& source);

}  // namespace actio::data
