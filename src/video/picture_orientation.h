// video: the orientation that a stream's own pictures carry. In: packets, without decoding them. Out: a display matrix.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "video/ffmpeg_handles.h"

namespace actio::video {

using DisplayMatrix = std::array<std::int32_t, 9>;

// Whether pictures of this codec can carry one: display orientation SEI of H.264 and HEVC, EXIF of JPEG and its like.
bool may_carry_orientation(AVCodecID id);

// The matrix that FFmpeg puts beside the picture of this packet; empty where there is none. Only a packet that says
// something about orientation is decoded.
std::optional<DisplayMatrix> picture_orientation(const AVCodecParameters& parameters, const AVPacket& packet);

}  // namespace actio::video
