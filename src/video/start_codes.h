// video: the units of an MPEG-1, MPEG-2 or MPEG-4 Part 2 packet. In: its bytes. Out: each start code with what follows it.
// Source: ISO/IEC 11172-2, 13818-2 and 14496-2: a unit starts with 00 00 01 and one byte that says what it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace actio::video {

// Bytes: FFmpeg takes a packet of MPEG-4 that is not larger for a placeholder of a picture, and what it stands for was sent
// before.
inline constexpr int kMostPlaceholder = 19;

struct CodedUnit {
  std::uint8_t code = 0;
  std::span<const std::uint8_t> body;  // up to the next start code
};

// Calls `visit` with each CodedUnit until it returns false. Returns: what `visit` returned last, false for bytes in front of
// the first start code.
template <typename Visit>
bool for_each_unit(std::span<const std::uint8_t> bytes, Visit visit) {
  const auto find = [&](std::size_t from) {
    for (std::size_t i = from; i + 3 < bytes.size(); ++i) {
      if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1) return i;
    }
    return bytes.size();
  };
  std::size_t at = find(0);
  for (std::size_t i = 0; i < at; ++i) {
    if (bytes[i] != 0) return false;
  }
  while (at < bytes.size()) {
    const std::size_t next = find(at + 4);
    if (!visit(CodedUnit{bytes[at + 3], bytes.subspan(at + 4, next - at - 4)})) return false;
    at = next;
  }
  return true;
}

}  // namespace actio::video
