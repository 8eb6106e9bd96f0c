// data: which clips a reader would not get, before it reads them. In: clips. Out: those, and why.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "core/progress.h"
#include "data/dataset.h"
#include "data/read_limits.h"

namespace actio::data {

struct LostClip {
  std::size_t item = 0;  // of the list
  std::string why;       // one line, without the path
};

// Opens every file and decodes none, on all cores: those that are no videos, and with `vectors` those whose codec keeps no motion vectors
// that can be read. What may pass, such as a server that is away, loses no clip. `progress` is called on the calling thread.
std::vector<LostClip> lost_clips(const std::vector<Item>& items, bool vectors, const ReadLimits& limits, const ProgressFn& progress = {},
                                 const std::stop_token& stop = {});

}  // namespace actio::data
