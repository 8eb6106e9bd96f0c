// Source: the start codes and picture headers of ISO/IEC 13818-2, 6.2.3 and 14496-2, 6.2.5; NAL unit types of ITU-T
// H.264, 7.3.1 and H.265, 7.3.1.2.
#include "video/stream_start.h"

#include <algorithm>
#include <utility>

#include "video/ffmpeg_compat.h"
#include "video/start_codes.h"

namespace actio::video {
namespace {

constexpr std::size_t kMostLeading = 16;   // pictures shown before the key picture they follow; codecs allow no more
constexpr std::size_t kMostMissing = 256;  // more than a decoder holds back

constexpr std::size_t kMostWithoutPicture = 7;  // bytes of an MPEG-4 picture of which nothing is coded

enum class Coded {
  kNothing,  // no picture
  kPicture,
  kLeading,  // a picture that may be shown before the key picture that it follows
};

Coded h264_kind(std::uint8_t header) {
  const int type = header & 0x1F;
  return type == 1 || type == 2 || type == 5 ? Coded::kPicture : Coded::kNothing;
}

Coded hevc_kind(std::uint8_t header) {
  const int type = header >> 1 & 0x3F;
  if (type >= 6 && type <= 9) return Coded::kLeading;
  return type < 32 ? Coded::kPicture : Coded::kNothing;
}

using Bytes = std::span<const std::uint8_t>;

// The answer of `judge` for the first unit that has one; `judge` gets the bytes behind the start code or the length.
template <typename Judge>
Coded first_kind(Bytes packet, int length_size, Judge judge) {
  const auto prefix = static_cast<std::size_t>(length_size);
  for (std::size_t at = 0; at + std::max<std::size_t>(prefix, 3) < packet.size();) {
    if (prefix == 0) {
      if (packet[at] != 0 || packet[at + 1] != 0 || packet[at + 2] != 1) {
        ++at;
        continue;
      }
      at += 3;
      if (const Coded kind = judge(packet.subspan(at)); kind != Coded::kNothing) return kind;
      continue;
    }
    std::size_t length = 0;
    for (std::size_t i = 0; i < prefix; ++i) length = length << 8 | packet[at + i];
    at += prefix;
    if (const Coded kind = judge(packet.subspan(at)); kind != Coded::kNothing) return kind;
    if (length > packet.size() - at) break;
    at += length;
  }
  return Coded::kNothing;
}

Coded coded_kind(AVCodecID codec, Bytes packet, int length_size) {
  const auto b_frame = [](bool is_b) { return is_b ? Coded::kLeading : Coded::kPicture; };
  switch (codec) {
    case AV_CODEC_ID_H264: return first_kind(packet, length_size, [](Bytes unit) { return h264_kind(unit[0]); });
    case AV_CODEC_ID_HEVC: return first_kind(packet, length_size, [](Bytes unit) { return hevc_kind(unit[0]); });
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
      return first_kind(packet, 0, [&](Bytes unit) {
        return unit[0] != 0 || unit.size() < 3 ? Coded::kNothing : b_frame((unit[2] >> 3 & 7) == 3);
      });
    case AV_CODEC_ID_MPEG4:
      return first_kind(packet, 0, [&](Bytes unit) {
        const bool is_plane = unit[0] == 0xB6 && unit.size() >= 2, is_b = is_plane && unit[1] >> 6 == 2;
        const bool stands_in = !is_b && packet.size() <= kMostWithoutPicture;
        return is_plane && !stands_in ? b_frame(is_b) : Coded::kNothing;
      });
    default: return packet.empty() ? Coded::kNothing : Coded::kPicture;
  }
}

// Only codecs whose key pictures are known to be marked; the decoders of others refuse what lacks its references.
bool is_watched(AVCodecID codec) {
  switch (codec) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_H263:
    case AV_CODEC_ID_H263P:
    case AV_CODEC_ID_FLV1:
    case AV_CODEC_ID_MSMPEG4V1:
    case AV_CODEC_ID_MSMPEG4V2:
    case AV_CODEC_ID_MSMPEG4V3:
    case AV_CODEC_ID_WMV1:
    case AV_CODEC_ID_WMV2:
    case AV_CODEC_ID_WMV3:
    case AV_CODEC_ID_VC1: return true;
    default: return false;
  }
}

}  // namespace

void StreamStart::sent(const AVPacket& packet, std::int64_t tag, bool hidden) {
  if (entered_ || hidden || !is_watched(codec_)) return;
  const Coded kind = coded_kind(codec_, {packet.data, static_cast<std::size_t>(std::max(0, packet.size))}, length_size_);
  if (kind == Coded::kNothing) return;
  missing_.emplace(tag, Awaited{(packet.flags & AV_PKT_FLAG_KEY) != 0, kind == Coded::kLeading});
  if (missing_.size() <= kMostMissing) return;
  gone_ += !missing_.begin()->second.key;
  missing_.erase(missing_.begin());
}

bool StreamStart::is_real(const AVFrame& picture) const {
  if (!is_watched(codec_)) return true;
  if (codec_ == AV_CODEC_ID_H264) return (picture.flags & AV_FRAME_FLAG_CORRUPT) == 0;
  const bool refers = picture.pict_type == AV_PICTURE_TYPE_P || picture.pict_type == AV_PICTURE_TYPE_B ||
                      picture.pict_type == AV_PICTURE_TYPE_S;
  if (codec_ == AV_CODEC_ID_HEVC) return is_key_frame(picture);
  return is_key_frame(picture) || !refers;
}

void StreamStart::leave_out(bool counts) {
  any_made_up_ = true;
  left_out_ += counts;
}

void StreamStart::push(Picture picture) {
  // FFmpeg hands out a grey picture, too, where it began with one that refers to another: with the same packet.
  const bool counts = missing_.erase(picture.tag) > 0;
  if (!entered_ && is_real(*picture.frame)) enter(picture.tag);
  if (entered_) {
    ready_.push_back(std::move(picture));
  } else if (codec_ == AV_CODEC_ID_H264) {
    leave_out(counts);
  } else {
    held_.push_back({std::move(picture), counts});
    if (held_.size() <= kMostLeading) return;
    leave_out(held_.front().counts);
    held_.pop_front();
  }
}

// Pictures shown before a key picture are its own where nothing was decoded before it; else they may refer to what was made
// up.
void StreamStart::enter(std::int64_t tag) {
  entered_ = true;
  const bool in_mid_group =
      any_made_up_ || std::ranges::any_of(held_, [&](const Held& held) { return held.picture.tag < tag; });
  for (Held& held : held_) {
    if (in_mid_group) {
      leave_out(held.counts);
    } else {
      ready_.push_back(std::move(held.picture));
    }
  }
  held_.clear();
  const auto behind = missing_.lower_bound(tag);
  // A key picture that did not come is damaged, not without references.
  skipped_ = gone_ + std::count_if(missing_.begin(), behind, [](const auto& entry) { return !entry.second.key; });
  left_out_ += skipped_;
  // Those that follow the key picture at once are shown before it, so that they will not come any more.
  for (auto next = missing_.find(++tag); next != missing_.end() && next->second.leading; next = missing_.find(++tag)) {
    ++left_out_;
  }
  missing_.clear();
}

std::optional<StreamStart::Picture> StreamStart::pop() {
  if (ready_.empty()) return std::nullopt;
  Picture picture = std::move(ready_.front());
  ready_.pop_front();
  return picture;
}

void StreamStart::end() {
  for (const Held& held : held_) leave_out(held.counts);
  held_.clear();
}

}  // namespace actio::video
