#include "video/ffmpeg_log.h"

extern "C" {
#include <libavutil/log.h>
}

namespace actio::video {

void silence_ffmpeg() { av_log_set_level(AV_LOG_QUIET); }

}  // namespace actio::video
