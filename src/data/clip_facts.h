// data: what only decoding a whole clip tells. In: a decoder that has come to its end. Out: counts, and warnings from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/frame_times.h"
#include "video/decoder.h"

namespace actio::data {

struct ClipFacts {
  std::int64_t frames = 0, damaged = 0, errors = 0, claimed = 0;
  std::string container;
  double frames_per_second = 0, duration = 0;  // as the container claims; seconds
  double last_time = 0;                        // of a frame; seconds from the first
  std::int64_t left_out = 0;                   // before the first key frame, see video::DecodeCounters
  bool motionless = false;                     // vectors were looked for, and no frame has any
  FrameTimes times = {};
};

// `decoder` has given `frames` frames, the last of them at `last_time`.
ClipFacts facts_of(const video::Decoder& decoder, std::int64_t frames, double last_time);

// What a user should know about the clip, one line each, the file's name first.
std::vector<std::string> warnings_of(const std::string& path, const ClipFacts& facts);

}  // namespace actio::data
