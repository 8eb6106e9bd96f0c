// data: when the frames of a clip are shown. In: their time stamps. Out: whether these are even, and which frame is seen when.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"
#include "data/sampling.h"

namespace actio::data {

// Whole microseconds, so that times which were written to a file and read again give the same frames.
struct FrameTimes {
  std::vector<std::int64_t> microseconds;  // from the first frame, growing; empty where frames are counted: at a constant rate that
                                           // is the same, and where the time stamps make no sense nothing else is left
  std::string fault;                       // what makes no sense; empty where nothing does
};

// The rate is constant where some even grid has every frame within half of its step, so that the rounding of time stamps (33 and
// 34 ms) counts for nothing. No sense make time stamps that repeat, jump back or leave a gap of half an hour.
FrameTimes frame_times(std::vector<std::int64_t> microseconds);

// As data/sampling.h says, of parts that are equal in time. A frame is seen until the next one, the last for as long as the one
// before it. kRandom takes what is seen at a random time of each part.
// Throws: Error(kInternal) for less than two frames; Error(kUsage) for less than one segment, or a place outside of [0, 1].
std::vector<std::int64_t> sample_by_time(const std::vector<std::int64_t>& microseconds, std::int64_t segments, Sampling sampling,
                                         Rng& rng, double place = 0.5);

// What `sample_segments` gives where the times are empty, else what `sample_by_time` gives.
std::vector<std::int64_t> sample(const FrameTimes& times, std::int64_t frames, std::int64_t segments, Sampling sampling, Rng& rng,
                                 double place = 0.5);

// Of a frame. Units: seconds from the first frame -> whole microseconds.
std::int64_t to_microseconds(double seconds);

}  // namespace actio::data
