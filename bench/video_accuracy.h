// What video_bench says about the vectors themselves: how near they are to a known motion, and to TV-L1.
#pragma once

#include <string>

namespace actio::bench {

// Clips that translate by a known amount, written into `folder`: medians on P-frames and B-frames, agreement with TV-L1.
void print_accuracy(const std::string& folder);

// Real clips below `shared` (the UCF101 clip and some of UT-Interaction): the cosine between vectors and TV-L1.
void print_agreement(const std::string& shared);

}  // namespace actio::bench
