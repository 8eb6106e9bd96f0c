// video: whether a picture, or blocks of it, are coded as fields (every other line), told from headers. In: packets in their
// order. Out: a FieldCoding. Source: ITU-T H.264, 7.3.2 and 7.3.3; ISO/IEC 13818-2, 6.2.3.1.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "video/ffmpeg_handles.h"

namespace actio::video {

enum class FieldCoding : std::uint8_t {
  kNone,      // frames alone
  kBlocks,    // a frame whose blocks may be field-coded
  kPictures,  // each field is a picture of its own
};

// Of one stream. What cannot be read is kBlocks where the codec marks the picture as interlaced.
class FieldCodings {
 public:
  FieldCodings(AVCodecID codec, std::span<const std::uint8_t> extradata);

  // To be called with each packet in the order of decoding; `tag` comes back with its picture.
  void note(std::int64_t tag, std::span<const std::uint8_t> packet);

  FieldCoding of(const AVFrame& picture) const;

 private:
  static constexpr std::size_t kRemembered = 256;  // packets: more than a decoder holds back
  enum class Told : std::uint8_t { kNothing, kNone, kBlocks, kPictures };
  struct Sequence {
    int number_bits = 0;  // of the picture's number in slices
    bool has_planes = false, frames_only = true, mixes = false;
  };

  Told read(std::span<const std::uint8_t> packet);
  Told read_h264(std::span<const std::uint8_t> packet);
  Told read_mpeg2(std::span<const std::uint8_t> packet) const;
  std::optional<Told> note_unit(std::span<const std::uint8_t> unit);
  void note_sequence(std::span<const std::uint8_t> body);
  void note_parameters(std::span<const std::uint8_t> body);
  Told told_by_slice(std::span<const std::uint8_t> body) const;

  AVCodecID codec_;
  int length_size_ = 0;
  std::map<std::uint32_t, Sequence> sequences_;
  std::map<std::uint32_t, std::uint32_t> parameters_;  // the sequence that each set belongs to
  std::array<Told, kRemembered> told_{};               // by tag
};

}  // namespace actio::video
