// An H.264 packet, or its extradata. The first byte chooses the length prefix.
#include "fuzz/support.h"
#include "video/h264_reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  const int length = actio::video::h264_length_size(bytes);
  actio::fuzz::require(length >= 0 && length <= 4, "a length prefix has at most 4 bytes");
  if (size > 0) actio::video::h264_picture(bytes.subspan(1), bytes[0] % 5);
  return 0;
}
