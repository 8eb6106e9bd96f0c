// video: what FFmpeg writes to the terminal. For programs only: a library must not decide it for the process it runs in.
#pragma once

namespace actio::video {

// Stops FFmpeg from writing to standard error, in the whole process. Without it actio's codecs are silent already; what
// FFmpeg says about damaged containers goes to the host's av_log callback.
void silence_ffmpeg();

}  // namespace actio::video
