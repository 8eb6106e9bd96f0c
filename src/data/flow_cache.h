// data: a folder that keeps the optical flow of videos, so that it is computed once. In: a video and the settings. Out: its
// flow file, computed now where there is none yet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/options.h"
#include "data/flow_file.h"
#include "data/read_limits.h"
#include "motion/flow_image.h"

namespace actio::data {

struct FlowCacheOptions {
  static constexpr std::string_view kTable = "cache";

  std::string flow_cache;  // folder; empty: none

  Fields fields();
};

// The flow file could not be written, through no fault of the video.
class FlowStoreError : public Error {
 public:
  explicit FlowStoreError(const std::string& message) : Error(ErrorCode::kFailed, message) {}
};

// 16 hexadecimal digits from the video's size and its first and last MiB, so that they do not depend on where it lies.
// Throws: Error(kFailed) where it cannot be read.
std::string video_fingerprint(const std::string& video);

// FOLDER/NAME-FINGERPRINT.flow, NAME being the video's file name without its ending.
std::filesystem::path flow_path(const std::filesystem::path& folder, const std::string& video);

// What motion images depend on, besides the video: as it is kept in flow files.
Json flow_parameters(const motion::FlowSettings& settings);

// Throws: Error(kUsage) where `file` (named `path`) was computed with other settings: the first
// that differs, and both values.
void require_parameters(const FlowFile& file, const std::filesystem::path& path, const motion::FlowSettings& settings);

struct FlowExtraction {
  std::string video;
  std::filesystem::path target;  // the flow file to write; another one there is replaced when this one is whole
  motion::FlowSettings settings;
  int threads = 1;               // the file does not depend on their number
  std::function<void(std::int64_t fields, std::int64_t claimed)> progress = {};  // so far, and in all where known, else 0
  ReadLimits limits = {};
};

// Computes the flow of a whole clip. Several may write the same target at once: the last one stays.
// Throws: as video::Decoder; Error(kBadData) where no frame decodes and past a limit; FlowStoreError; Error(kInterrupted) on `stop`. No part of
// a file is left then.
ClipFacts extract_flow(const FlowExtraction& extraction, const std::stop_token& stop = {});

// Makes the folder, but not those above it. Throws: Error(kFailed) where that cannot be done.
void make_cache_folder(const std::filesystem::path& folder);

}  // namespace actio::data
