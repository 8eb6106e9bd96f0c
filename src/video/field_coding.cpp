#include "video/field_coding.h"

#include <algorithm>
#include <vector>

#include "video/bit_reader.h"
#include "video/ffmpeg_compat.h"
#include "video/h264_reference.h"
#include "video/start_codes.h"

namespace actio::video {
namespace {

constexpr std::size_t kHead = 1024;  // bytes of a unit that are looked at

// Without the bytes that keep a unit free of start codes.
std::vector<std::uint8_t> unescaped(std::span<const std::uint8_t> unit) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < std::min(unit.size(), kHead); ++i) {
    const bool escape = i >= 2 && unit[i] == 3 && unit[i - 1] == 0 && unit[i - 2] == 0;
    if (!escape) bytes.push_back(unit[i]);
  }
  return bytes;
}

std::int32_t signed_golomb(BitReader& reader) {
  const std::uint32_t code = reader.exp_golomb();
  return code % 2 != 0 ? static_cast<std::int32_t>(code / 2 + 1) : -static_cast<std::int32_t>(code / 2);
}

void skip_scaling_list(BitReader& reader, int size) {
  int last = 8, next = 8;
  for (int i = 0; i < size; ++i) {
    if (next != 0) next = (last + signed_golomb(reader) + 256) & 255;
    if (next != 0) last = next;
  }
}

void skip_scaling_matrices(BitReader& reader, std::uint32_t chroma) {
  for (int i = 0; i < (chroma == 3 ? 12 : 8); ++i) {
    if (reader.flag()) skip_scaling_list(reader, i < 6 ? 16 : 64);
  }
}

bool has_chroma_format(std::uint32_t profile) {
  static constexpr std::array kProfiles{100U, 110U, 122U, 244U, 44U, 83U, 86U, 118U, 128U, 138U, 139U, 134U, 135U};
  return std::ranges::find(kProfiles, profile) != kProfiles.end();
}

}  // namespace

FieldCodings::FieldCodings(AVCodecID codec, std::span<const std::uint8_t> extradata) : codec_(codec) {
  if (codec != AV_CODEC_ID_H264) return;
  length_size_ = h264_length_size(extradata);
  if (length_size_ == 0) {
    read_h264(extradata);
    return;
  }
  std::size_t at = 5;
  for (const int mask : {31, 255}) {
    if (at >= extradata.size()) return;
    for (int left = extradata[at++] & mask; left > 0 && at + 2 <= extradata.size(); --left) {
      const std::size_t size = static_cast<std::size_t>(extradata[at]) << 8 | extradata[at + 1];
      at += 2;
      if (size > extradata.size() - at) return;
      note_unit(extradata.subspan(at, size));
      at += size;
    }
  }
}

void FieldCodings::note(std::int64_t tag, std::span<const std::uint8_t> packet) {
  told_[static_cast<std::size_t>(tag) % kRemembered] = read(packet);
}

FieldCoding FieldCodings::of(const AVFrame& picture) const {
  switch (told_[static_cast<std::size_t>(packet_tag(picture)) % kRemembered]) {
    case Told::kNone: return FieldCoding::kNone;
    case Told::kBlocks: return FieldCoding::kBlocks;
    case Told::kPictures: return FieldCoding::kPictures;
    case Told::kNothing: break;
  }
  return is_interlaced(picture) ? FieldCoding::kBlocks : FieldCoding::kNone;
}

FieldCodings::Told FieldCodings::read(std::span<const std::uint8_t> packet) {
  if (codec_ == AV_CODEC_ID_H264) return read_h264(packet);
  if (codec_ == AV_CODEC_ID_MPEG2VIDEO) return read_mpeg2(packet);
  return Told::kNothing;
}

// Fields are told here; whether blocks of a frame are, FFmpeg's mark says.
FieldCodings::Told FieldCodings::read_mpeg2(std::span<const std::uint8_t> packet) const {
  constexpr std::uint8_t kFirstSlice = 0x01, kLastSlice = 0xAF, kExtension = 0xB5;
  constexpr std::uint32_t kPictureCoding = 8, kWholeFrame = 3;
  Told told = Told::kNothing;
  for_each_unit(packet, [&](const CodedUnit& unit) {
    if (unit.code >= kFirstSlice && unit.code <= kLastSlice) return false;
    if (unit.code != kExtension) return true;
    BitReader reader(unit.body);
    if (reader.bits(4) != kPictureCoding) return true;
    reader.skip(4 * 4 + 2);
    if (reader.bits(2) != kWholeFrame) told = Told::kPictures;
    return false;
  });
  return told;
}

FieldCodings::Told FieldCodings::read_h264(std::span<const std::uint8_t> packet) {
  std::optional<Told> told;
  if (length_size_ == 0) {
    const auto next_code = [&](std::size_t from) {
      for (std::size_t i = from; i + 3 < packet.size(); ++i) {
        if (packet[i] == 0 && packet[i + 1] == 0 && packet[i + 2] == 1) return i;
      }
      return packet.size();
    };
    for (std::size_t at = next_code(0); at < packet.size() && !told;) {
      const std::size_t begin = at + 3;
      // The first slice is the answer, however long it is.
      const int type = packet[begin] & 0x1F;
      const std::size_t end = type == 1 || type == 5 ? packet.size() : next_code(begin);
      told = note_unit(packet.subspan(begin, end - begin));
      at = end;
    }
    return told.value_or(Told::kNothing);
  }
  const auto prefix = static_cast<std::size_t>(length_size_);
  for (std::size_t at = 0; at + prefix < packet.size() && !told;) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < prefix; ++i) length = length << 8 | packet[at + i];
    at += prefix;
    if (length == 0 || length > packet.size() - at) break;
    told = note_unit(packet.subspan(at, length));
    at += length;
  }
  return told.value_or(Told::kNothing);
}

// Only slices have an answer.
std::optional<FieldCodings::Told> FieldCodings::note_unit(std::span<const std::uint8_t> unit) {
  if (unit.empty()) return std::nullopt;
  const int type = unit[0] & 0x1F;
  const bool slice = type == 1 || type == 2 || type == 5;
  if (!slice && type != 7 && type != 8) return std::nullopt;
  const auto bytes = unescaped(unit.subspan(1, std::min(unit.size() - 1, slice ? std::size_t{32} : kHead)));
  if (slice) return told_by_slice(bytes);
  if (type == 7) note_sequence(bytes);
  if (type == 8) note_parameters(bytes);
  return std::nullopt;
}

void FieldCodings::note_sequence(std::span<const std::uint8_t> body) {
  Sequence sequence;
  BitReader reader(body);
  const std::uint32_t profile = reader.bits(8);
  reader.skip(8 + 8);
  const std::uint32_t id = reader.exp_golomb();
  if (has_chroma_format(profile)) {
    const std::uint32_t chroma = reader.exp_golomb();
    if (chroma == 3) sequence.has_planes = reader.flag();
    reader.exp_golomb();
    reader.exp_golomb();
    reader.flag();
    if (reader.flag()) skip_scaling_matrices(reader, chroma);
  }
  const std::uint32_t number_bits = reader.exp_golomb() + 4;
  const std::uint32_t order_type = reader.exp_golomb();
  if (order_type == 0) {
    reader.exp_golomb();
  } else if (order_type == 1) {
    reader.flag();
    reader.exp_golomb();
    reader.exp_golomb();
    const std::uint32_t frames = reader.exp_golomb();
    for (std::uint32_t i = 0; i < std::min(frames, 255U); ++i) reader.exp_golomb();
  }
  reader.exp_golomb();
  reader.flag();
  reader.exp_golomb();
  reader.exp_golomb();
  sequence.frames_only = reader.flag();
  if (!sequence.frames_only) sequence.mixes = reader.flag();
  if (reader.overrun() || number_bits > 16 || id > 31) return;
  sequence.number_bits = static_cast<int>(number_bits);
  sequences_[id] = sequence;
}

void FieldCodings::note_parameters(std::span<const std::uint8_t> body) {
  BitReader reader(body);
  const std::uint32_t id = reader.exp_golomb(), sequence = reader.exp_golomb();
  if (!reader.overrun() && id < 256) parameters_[id] = sequence;
}

FieldCodings::Told FieldCodings::told_by_slice(std::span<const std::uint8_t> body) const {
  BitReader reader(body);
  reader.exp_golomb();
  reader.exp_golomb();
  const auto parameters = parameters_.find(reader.exp_golomb());
  if (parameters == parameters_.end()) return Told::kNothing;
  const auto found = sequences_.find(parameters->second);
  if (found == sequences_.end()) return Told::kNothing;
  const Sequence& sequence = found->second;
  if (sequence.frames_only) return Told::kNone;
  reader.skip(sequence.number_bits + (sequence.has_planes ? 2 : 0));
  const bool field = reader.flag();
  if (reader.overrun()) return Told::kNothing;
  return field ? Told::kPictures : sequence.mixes ? Told::kBlocks : Told::kNone;
}

}  // namespace actio::video
