// explain: maps over the whole video. In: maps, the video. Out: the same video with what speaks for the class drawn over it, and a line that tells when.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/inputs.h"
#include "explain/cam.h"

namespace actio::explain {

// What each snippet adds to the answer's score for the class: its maps and those of its pairs, weighed as the network fuses its heads. A pair counts half for
// each of its snippets. Shape: K numbers, whose sum and the heads' biases are the fused score.
std::vector<double> shares_of(const Cam& cam);

// Writes `output`, whose ending names the container. Each frame has the fused map of the snippet nearest to it, inside of what the network saw; the strip below
// has a field for each snippet, in the colour of its share, and a mark where the frame is. Returns: frames.
// Throws: as video::Decoder and video::Encoder; Error(kInterrupted) on `stop`. Nothing is left of the output then.
std::int64_t write_cam_video(const Cam& cam, const Inputs& inputs, const std::string& output, const std::stop_token& stop = {});

}  // namespace actio::explain
