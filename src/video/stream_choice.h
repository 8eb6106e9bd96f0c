// video: which of a file's streams is its video. In: an opened file. Out: a stream, and how many there are.
#pragma once

#include <vector>

#include "video/ffmpeg_handles.h"

namespace actio::video {

struct StreamChoice {
  int stream = -1;      // index in the file; -1: none of its streams is a video
  int track = 0;        // its place among the video streams, from 1
  int tracks = 0;       // video streams in all, pictures that are attached among them
  bool settled = true;  // false: the packets of the file, counted by stream, may tell of another one
};

// Attached pictures are never chosen. A track of a single picture, or of pictures that stand by themselves and are few
// beside another track's, comes after one that moves; of several that move, the one marked as default comes first, then the
// largest. `packets`: how many each stream of the file has, where they were counted, as far as the file was read; else
// empty.
StreamChoice choose_stream(const AVFormatContext& format, const std::vector<std::int64_t>& packets);

}  // namespace actio::video
