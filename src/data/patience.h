// data: reads a clip although the system cannot for a while. In: a request. Out: the clip, at the second or third try perhaps.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <vector>

#include "data/clip_reader.h"

namespace actio::data {

// read_clip, or what stands in for it.
using ReadClip = std::function<ClipInput(const ClipRequest&, ClipMemory&, const std::stop_token&)>;

// How long to wait after the first failure that may pass, after the second, and so on.
using Patience = std::vector<std::chrono::milliseconds>;

inline Patience usual_patience() {
  using std::chrono::milliseconds;
  return {milliseconds(100), milliseconds(500), milliseconds(2'500), milliseconds(10'000)};
}

// Tries again where `read` fails for a reason that is no fault of the video (no descriptors, no memory, a server that is away).
// The request's time is that of all tries together.
// What the standard library throws becomes an Error that names the file.
// Throws: as `read`; Error(kTransient) where the last try failed like the first; Error(kInterrupted) on `stop`, without waiting.
ClipInput read_patiently(const ReadClip& read, const Patience& patience, const ClipRequest& request, ClipMemory& memory,
                         const std::stop_token& stop = {});

}  // namespace actio::data
