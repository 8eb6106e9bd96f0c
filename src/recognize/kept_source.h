// recognize: videos that functions read are looked at more than once, too. In: a source. Out: one in memory.
#pragma once

#include <stop_token>

#include "video/source.h"

namespace actio::recognize {

// Whether one Decoder after the other can read it.
bool can_be_read_again(const video::Source& source);

// All that its functions give. Throws: Error(kFailed) for more than 1 GiB; Error(kInterrupted) on `stop`; what the functions throw.
video::Source kept_in_memory(const video::Source& source, const std::stop_token& stop);

}  // namespace actio::recognize
