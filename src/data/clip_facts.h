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
  bool headless = false;                       // the first frame is coded as a change of one that is not there
  bool motionless = false;                     // vectors were looked for, and no frame has any
  FrameTimes times = {};
};

// `decoder` has given `frames` frames, the last of them at `last_time`.
ClipFacts facts_of(const video::Decoder& decoder, std::int64_t frames, double last_time);

// Whether `frame` is the first one and refers to others.
bool is_headless(const video::Frame& frame);

// What a user should know about the clip, one line each, the file's name first.
std::vector<std::string> warnings_of(const std::string& path, const ClipFacts& facts);

}  // namespace actio::data
