// Source: ITU-T H.264, 7.3.2.3 and D.1.27; ITU-T H.265, 7.3.5 and D.2.17 (SEI messages); Exif 2.3, 4.7.2 (APP1).
#include "video/picture_orientation.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "video/ffmpeg_compat.h"
#include "video/h264_reference.h"

namespace actio::video {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t kDisplayOrientation = 47;  // SEI payload
constexpr std::size_t kExifSearched = 1 << 17;     // bytes at the start of a picture

// Whether the messages of an SEI unit, behind its header, hold one of display orientation. The bytes that keep a unit free
// of start codes are passed over.
bool tells_orientation(Bytes unit) {
  std::size_t at = 0;
  int zeros = 0;
  const auto next = [&]() -> std::uint32_t {
    if (at < unit.size() && zeros >= 2 && unit[at] == 3) {
      ++at;
      zeros = 0;
    }
    if (at >= unit.size()) return 0;
    zeros = unit[at] == 0 ? zeros + 1 : 0;
    return unit[at++];
  };
  const auto number = [&] {
    std::uint32_t sum = 0, byte = 0;
    do sum += byte = next();
    while (byte == 0xFF && at < unit.size());
    return sum;
  };
  while (at + 2 < unit.size()) {
    if (number() == kDisplayOrientation) return true;
    for (std::uint32_t left = number(); left > 0 && at < unit.size(); --left) next();
  }
  return false;
}

bool is_orientation_unit(Bytes unit, bool hevc) {
  constexpr std::uint8_t kSei = 6, kHevcPrefixSei = 39, kHevcSuffixSei = 40;
  const std::size_t header = hevc ? 2 : 1;
  if (unit.size() <= header) return false;
  const int type = hevc ? unit[0] >> 1 & 0x3F : unit[0] & 0x1F;
  const bool sei = hevc ? type == kHevcPrefixSei || type == kHevcSuffixSei : type == kSei;
  return sei && tells_orientation(unit.subspan(header));
}

// Units between start codes.
bool any_annex_b(Bytes packet, bool hevc) {
  const auto find = [&](std::size_t from) {
    for (std::size_t i = from; i + 3 <= packet.size(); ++i) {
      if (packet[i] == 0 && packet[i + 1] == 0 && packet[i + 2] == 1) return i;
    }
    return packet.size();
  };
  for (std::size_t at = find(0); at < packet.size();) {
    const std::size_t end = find(at + 3);
    if (is_orientation_unit(packet.subspan(at + 3, end - at - 3), hevc)) return true;
    at = end;
  }
  return false;
}

// Units behind their lengths.
bool any_prefixed(Bytes packet, std::size_t prefix, bool hevc) {
  std::size_t at = 0;
  while (at + prefix < packet.size()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < prefix; ++i) length = length << 8 | packet[at + i];
    at += prefix;
    if (length > packet.size() - at) return false;
    if (is_orientation_unit(packet.subspan(at, length), hevc)) return true;
    at += length;
  }
  return false;
}

bool says_orientation(const AVCodecParameters& parameters, Bytes packet) {
  const bool hevc = parameters.codec_id == AV_CODEC_ID_HEVC;
  if (hevc || parameters.codec_id == AV_CODEC_ID_H264) {
    const Bytes extra(parameters.extradata, static_cast<std::size_t>(std::max(0, parameters.extradata_size)));
    const bool prefixed = hevc && extra.size() > 22 && extra[0] == 1;
    const int prefix = prefixed ? (extra[21] & 3) + 1 : hevc ? 0 : h264_length_size(extra);
    return prefix > 0 ? any_prefixed(packet, static_cast<std::size_t>(prefix), hevc) : any_annex_b(packet, hevc);
  }
  // "Exif" in JPEG, "eXIf" in PNG, "EXIF" in WebP.
  const Bytes head = packet.first(std::min(packet.size(), kExifSearched));
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  return std::ranges::any_of(std::array{"Exif", "eXIf", "EXIF"},
                             [&](const char* word) { return text.find(word) != text.npos; });
}

}  // namespace

bool may_carry_orientation(AVCodecID id) {
  switch (id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MJPEG:
    case AV_CODEC_ID_PNG:
    case AV_CODEC_ID_WEBP: return true;
    default: return false;
  }
}

std::optional<DisplayMatrix> picture_orientation(const AVCodecParameters& parameters, const AVPacket& packet) {
  if (packet.size <= 0 || !says_orientation(parameters, {packet.data, static_cast<std::size_t>(packet.size)})) return {};
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  const CodecHandle context(codec ? avcodec_alloc_context3(codec) : nullptr);
  const FrameHandle picture(av_frame_alloc());
  if (!context || !picture || avcodec_parameters_to_context(context.get(), &parameters) < 0) return {};
  context->thread_count = 1;
  context->skip_loop_filter = AVDISCARD_ALL;  // only what stands beside the picture is looked at
  keep_silent(*context);
  if (avcodec_open2(context.get(), codec, nullptr) < 0) return {};
  if (avcodec_send_packet(context.get(), &packet) < 0 || avcodec_send_packet(context.get(), nullptr) < 0) return {};
  if (avcodec_receive_frame(context.get(), picture.get()) < 0) return {};
  const std::int32_t* found = display_matrix(*picture);
  if (!found) return {};
  DisplayMatrix matrix;
  std::copy_n(found, matrix.size(), matrix.begin());
  return matrix;
}

}  // namespace actio::video
