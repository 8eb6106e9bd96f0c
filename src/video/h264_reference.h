// video: what an H.264 picture is to the others of its stream. In: its packet. Out: nal_ref_idc != 0, and whether it is an
// IDR. Source: ITU-T H.264, 7.3.1 (NAL unit) and annex B (start codes); ISO/IEC 14496-15 (length prefixes).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace actio::video {

// Bytes of the length in front of each NAL unit, from the codec's extradata; 0 for start codes.
int h264_length_size(std::span<const std::uint8_t> extradata);

struct H264Picture {
  bool reference = true;  // others may refer to it
  bool idr = false;       // nothing after it refers to anything before it
};

// Empty where no slice is found.
std::optional<H264Picture> h264_picture(std::span<const std::uint8_t> packet, int length_size);

}  // namespace actio::video
