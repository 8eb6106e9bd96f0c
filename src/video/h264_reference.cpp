#include "video/h264_reference.h"

#include <cstddef>

namespace actio::video {
namespace {

// The answer of one NAL unit, by its first byte: only slices have one.
std::optional<H264Picture> from_header(std::uint8_t header) {
  const int type = header & 0x1F;
  const bool slice = type == 1 || type == 2 || type == 5;
  if (!slice) return std::nullopt;
  return H264Picture{(header >> 5 & 3) != 0, type == 5};
}

}  // namespace

int h264_length_size(std::span<const std::uint8_t> extradata) {
  return extradata.size() >= 7 && extradata[0] == 1 ? (extradata[4] & 3) + 1 : 0;
}

std::optional<H264Picture> h264_picture(std::span<const std::uint8_t> packet, int length_size) {
  if (length_size == 0) {
    for (std::size_t i = 0; i + 3 < packet.size(); ++i) {
      if (packet[i] != 0 || packet[i + 1] != 0 || packet[i + 2] != 1) continue;
      if (const auto answer = from_header(packet[i + 3])) return answer;
    }
    return std::nullopt;
  }
  std::size_t position = 0;
  const auto prefix = static_cast<std::size_t>(length_size);
  while (position + prefix < packet.size()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < prefix; ++i) length = length << 8 | packet[position + i];
    if (const auto answer = from_header(packet[position + prefix])) return answer;
    if (length > packet.size() - position - prefix) return std::nullopt;
    position += prefix + length;
  }
  return std::nullopt;
}

}  // namespace actio::video
