// data: the optical flow of a whole clip, several fields at a time. In: a video. Out: packed motion images in order.
#pragma once

#include <functional>
#include <stop_token>

#include "data/flow_cache.h"

namespace actio::data {

// Calls `sink` for the field of frame 0, 1, ..., from the calling thread. With more than one thread, the next frames are
// decoded while those threads work on the last ones.
// Throws: as extract_flow, and what `sink` throws.
ClipFacts compute_fields(const FlowExtraction& extraction, const std::function<void(const PackedField&)>& sink,
                         const std::stop_token& stop);

}  // namespace actio::data
