#include "video/ffmpeg_handles.h"

#include <array>

namespace actio::video {

std::string ffmpeg_reason(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

void keep_silent(AVCodecContext& codec) { codec.log_level_offset = kSilentLevels; }

}  // namespace actio::video
