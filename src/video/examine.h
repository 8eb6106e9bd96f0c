// video: decodes a whole video and reports what is in it; `actio doctor` prints this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/progress.h"
#include "video/decoder.h"

namespace actio::video {

struct VectorCoverage {
  std::int64_t frames = 0;    // of this type
  double mean_share = 0;      // mean share of the picture's area that blocks with vectors cover, 0..1
  double mean_magnitude = 0;  // pixels per frame, over covered area
};

struct MotionSource {
  std::string name;  // "mv", "rgbdiff", "flow"
  bool works = false;
  std::string remark;  // why not, and what to do instead; or what to expect
};

struct Examination {
  StreamInfo info;
  DecodeCounters counters;
  std::int64_t key_frames = 0, p_frames = 0, b_frames = 0;
  bool constant_rate = true;  // all frame intervals within one tick of the time base of each other
  double shortest_interval_seconds = 0, longest_interval_seconds = 0;
  std::int64_t longest_gop = 0;  // frames from a key frame to the next
  VectorCoverage p_coverage, b_coverage;
  std::vector<MotionSource> sources;
  std::vector<std::string> findings;  // one sentence each: "3 frames are damaged"; empty for a clean file
};

// `limits`: the pixels and the time that are given. Throws: as Decoder. Never throws for damage inside of the file.
Examination examine(const Source& source, const ProgressFn& progress = {}, DecoderOptions limits = {});

Json to_json(const Examination& examination);
std::string to_text(const Examination& examination);  // for a terminal, aligned, one fact a line

}  // namespace actio::video
