// video: the few things that FFmpeg 5.1, 6 and 7 spell differently; no other file asks for FFmpeg's version.
#pragma once

#include <cstdint>

#include "video/ffmpeg_handles.h"

namespace actio::video {

// A number given to a packet that comes back with the picture decoded from it.
void enable_packet_tags(AVCodecContext& codec);
void tag_packet(AVCodecContext& codec, AVPacket& packet, std::int64_t tag);
std::int64_t packet_tag(const AVFrame& frame);

bool is_key_frame(const AVFrame& frame);
bool is_interlaced(const AVFrame& frame);
bool is_top_field_first(const AVFrame& frame);

// What an encoder takes, up to AV_PIX_FMT_NONE; null where it does not say.
const AVPixelFormat* supported_formats(const AVCodec& codec);

// The 3x3 display matrix of a stream, or null.
const std::int32_t* display_matrix(const AVStream& stream);
// That of a decoded picture, or null.
const std::int32_t* display_matrix(const AVFrame& frame);
// A zeroed display matrix for a stream that is about to be written. Throws: Error(kFailed) without memory.
std::int32_t* add_display_matrix(AVStream& stream);

}  // namespace actio::video
