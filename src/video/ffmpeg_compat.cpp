#include "video/ffmpeg_compat.h"

extern "C" {
#include <libavutil/version.h>
}

#include <cstddef>

#include "core/error.h"

namespace actio::video {
namespace {

constexpr std::size_t kMatrixBytes = 9 * sizeof(std::int32_t);

}  // namespace

#if LIBAVCODEC_VERSION_MAJOR >= 60
void enable_packet_tags(AVCodecContext& codec) { codec.flags |= AV_CODEC_FLAG_COPY_OPAQUE; }

void tag_packet(AVCodecContext&, AVPacket& packet, std::int64_t tag) {
  packet.opaque = reinterpret_cast<void*>(static_cast<std::intptr_t>(tag));
}

std::int64_t packet_tag(const AVFrame& frame) {
  return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(frame.opaque));
}
#else
void enable_packet_tags(AVCodecContext&) {}

void tag_packet(AVCodecContext& codec, AVPacket&, std::int64_t tag) { codec.reordered_opaque = tag; }

std::int64_t packet_tag(const AVFrame& frame) { return frame.reordered_opaque; }
#endif

#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100)
bool is_key_frame(const AVFrame& frame) { return (frame.flags & AV_FRAME_FLAG_KEY) != 0; }
bool is_interlaced(const AVFrame& frame) { return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0; }
bool is_top_field_first(const AVFrame& frame) { return (frame.flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0; }
#else
bool is_key_frame(const AVFrame& frame) { return frame.key_frame != 0; }
bool is_interlaced(const AVFrame& frame) { return frame.interlaced_frame != 0; }
bool is_top_field_first(const AVFrame& frame) { return frame.top_field_first != 0; }
#endif

#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
const AVPixelFormat* supported_formats(const AVCodec& codec) {
  const void* formats = nullptr;
  avcodec_get_supported_config(nullptr, &codec, AV_CODEC_CONFIG_PIX_FORMAT, 0, &formats, nullptr);
  return static_cast<const AVPixelFormat*>(formats);
}
#else
const AVPixelFormat* supported_formats(const AVCodec& codec) { return codec.pix_fmts; }
#endif

const std::int32_t* display_matrix(const AVFrame& frame) {
  const AVFrameSideData* data = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  return data && data->size >= kMatrixBytes ? reinterpret_cast<const std::int32_t*>(data->data) : nullptr;
}

#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
const std::int32_t* display_matrix(const AVStream& stream) {
  const AVPacketSideData* data = av_packet_side_data_get(stream.codecpar->coded_side_data,
                                                         stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return data && data->size >= kMatrixBytes ? reinterpret_cast<const std::int32_t*>(data->data) : nullptr;
}

std::int32_t* add_display_matrix(AVStream& stream) {
  AVPacketSideData* data = av_packet_side_data_new(&stream.codecpar->coded_side_data, &stream.codecpar->nb_coded_side_data,
                                                   AV_PKT_DATA_DISPLAYMATRIX, kMatrixBytes, 0);
  if (!data) fail("no memory for a display matrix");
  return reinterpret_cast<std::int32_t*>(data->data);
}
#else
const std::int32_t* display_matrix(const AVStream& stream) {
  std::size_t size = 0;
  const std::uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data && size >= kMatrixBytes ? reinterpret_cast<const std::int32_t*>(data) : nullptr;
}

std::int32_t* add_display_matrix(AVStream& stream) {
  std::uint8_t* data = av_stream_new_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, kMatrixBytes);
  if (!data) fail("no memory for a display matrix");
  return reinterpret_cast<std::int32_t*>(data);
}
#endif

}  // namespace actio::video
