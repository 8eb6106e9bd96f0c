#include "video/packet_scan.h"

#include "video/ffmpeg_handles.h"

namespace actio::video {

std::unique_ptr<PacketScan> make_packet_scan(const AVCodecParameters& parameters) {
  switch (parameters.codec_id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC: return make_nal_scan(parameters);
    case AV_CODEC_ID_MPEG4: return make_mpeg4_scan(parameters);
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO: return make_mpeg12_scan(parameters);
    default: return nullptr;
  }
}

}  // namespace actio::video
