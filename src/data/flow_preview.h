// data: optical flow for the eye. In: a video and its flow file. Out: a video, each frame beside its motion in colours.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

namespace actio::data {

struct FlowPreview {
  std::int64_t frames = 0;
  double full_pixels = 0;  // the displacement that has full colour, pixels at a short side of 256; 0: unknown
};

// Writes `output`, whose ending names the container. The colours' scale is the same for the whole clip: one displacement in
// ten of those that can be seen is longer than what has full colour.
// Throws: as video::Decoder, video::Encoder and FlowFile; Error(kInterrupted) on `stop`. Nothing is left of the output then.
FlowPreview write_flow_preview(const std::string& video, const std::filesystem::path& flow, const std::string& output,
                               const std::stop_token& stop = {});

}  // namespace actio::data
