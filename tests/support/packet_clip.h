// A clip as its packets, to be cut, rearranged and written anew without decoding: what `ffmpeg -c copy` does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "video/ffmpeg_handles.h"

namespace actio::testing {

struct CodedPacket {
  std::string bytes;
  std::int64_t pts = 0, dts = 0;  // in frames; AV_NOPTS_VALUE where the container has none
  bool key = false;
  bool shown = true;  // false: FFmpeg marks it as one to be decoded only
};

struct PacketClip {
  struct FreeParameters {
    void operator()(AVCodecParameters* pointer) const { avcodec_parameters_free(&pointer); }
  };
  std::shared_ptr<AVCodecParameters> parameters;
  int frames_per_second = 25;
  std::vector<CodedPacket> packets;
};

PacketClip read_packets(const std::string& path, int frames_per_second = 25);

// Times are moved so that the packet with the first dts, or with `from` >= 0 the frame shown at `from`, is at 0: earlier
// ones have negative times, which MP4 turns into an edit list.
void write_packets(const PacketClip& clip, const std::string& path, std::int64_t from = -1);

// `clip` without the packets before `first`.
PacketClip cut_packets(PacketClip clip, std::size_t first);

// The codec's headers in front of every key picture, for containers that have no place of their own for them.
void repeat_headers(PacketClip& clip);

// MPEG-4 in AVI as DivX packs it, made hostile: after a reference that holds a B-frame too come `waiting` packets with one
// more B-frame each, so that each waits in the decoder for the next packet; then two plain P-frames. `waiting` + 5 frames.
void write_waiting_b_frames(const std::string& path, int waiting);

}  // namespace actio::testing
