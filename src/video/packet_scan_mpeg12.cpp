// Source: ISO/IEC 11172-2, 2.4.2 and 13818-2, 6.2 (start codes, sequence, group and picture headers).
#include <set>
#include <string>
#include <utility>

#include "video/bit_reader.h"
#include "video/ffmpeg_handles.h"
#include "video/packet_scan.h"
#include "video/start_codes.h"

namespace actio::video {
namespace {

constexpr std::uint8_t kPictureStart = 0x00, kLastSlice = 0xAF, kUserData = 0xB2, kSequence = 0xB3, kExtension = 0xB5,
                       kSequenceEnd = 0xB7, kGroup = 0xB8;
constexpr std::uint32_t kSequenceExtension = 1, kSequenceDisplay = 2, kCopyright = 4, kPictureDisplay = 7,
                        kPictureCoding = 8;
constexpr std::uint32_t kWholeFrame = 3;  // picture_structure

class Mpeg12Scan : public PacketScan {
 public:
  explicit Mpeg12Scan(const AVCodecParameters& parameters) : is_mpeg2_(parameters.codec_id == AV_CODEC_ID_MPEG2VIDEO) {
    const std::span<const std::uint8_t> extra{parameters.extradata, static_cast<std::size_t>(parameters.extradata_size)};
    for_each_unit(extra, [&](const CodedUnit& unit) { return note(unit, true); });
    pictures_ = slices_ = 0;
  }

  std::optional<ScannedPicture> next(std::span<const std::uint8_t> packet) override {
    const bool first = std::exchange(first_, false);
    if (ended_) return std::nullopt;
    pictures_ = slices_ = 0;
    plain_ = true;
    whole_ = !is_mpeg2_;
    const bool clean = for_each_unit(packet, [&](const CodedUnit& unit) { return note(unit, first); });
    if (!clean || pictures_ != 1 || slices_ == 0 || !whole_ || headers_.empty()) return std::nullopt;
    // Two references come before a B-frame, or FFmpeg may leave it out.
    references_ += type_ != FrameType::kB && references_ < 2;
    if (type_ == FrameType::kB && (references_ < 2 || low_delay_)) return std::nullopt;
    ScannedPicture picture;
    picture.picture = true;
    picture.type = type_;
    picture.reference = type_ != FrameType::kB;
    picture.restart = type_ == FrameType::kI;
    picture.droppable = type_ == FrameType::kB && plain_;
    return picture;
  }

  bool without_delay() const override { return low_delay_; }

 private:
  bool note(const CodedUnit& unit, bool first) {
    if (ended_) return false;
    if (unit.code == kUserData) return true;
    if (unit.code == kPictureStart) return note_picture(unit);
    if (unit.code <= kLastSlice) {
      // From top to bottom, none missing at the top: else FFmpeg may not begin the picture.
      const bool in_order = slices_++ == 0 ? unit.code == 1 : unit.code >= last_slice_;
      last_slice_ = unit.code;
      BitReader reader(unit.body);
      return pictures_ == 1 && in_order && reader.bits(5) != 0;
    }
    if (unit.code == kExtension) return note_extension(unit, first);
    plain_ = false;
    if (unit.code == kGroup) return true;
    if (unit.code == kSequenceEnd) return ended_ = true;
    return unit.code == kSequence && note_header(unit, first);
  }

  bool note_picture(const CodedUnit& unit) {
    ++pictures_;
    BitReader reader(unit.body);
    reader.skip(10);
    const std::uint32_t type = reader.bits(3);
    if (type < 1 || type > 3 || reader.overrun()) return false;
    type_ = type == 1 ? FrameType::kI : type == 2 ? FrameType::kP : FrameType::kB;
    return true;
  }

  bool note_extension(const CodedUnit& unit, bool first) {
    BitReader reader(unit.body);
    const std::uint32_t id = reader.bits(4);
    if (id == kCopyright || id == kPictureDisplay) return true;
    if (id == kPictureCoding) {
      for (int i = 0; i < 4; ++i) {
        if (reader.bits(4) == 0) return false;
      }
      reader.skip(2);
      whole_ = reader.bits(2) == kWholeFrame;
      return whole_ && pictures_ == 1;
    }
    if (id == kSequenceExtension && first) {
      reader.skip(8 + 1 + 2 + 2 + 2 + 12 + 1 + 8);
      low_delay_ = reader.flag();
    }
    return (id == kSequenceExtension || id == kSequenceDisplay) && note_header(unit, first);
  }

  // Headers may be repeated, but must not change.
  bool note_header(const CodedUnit& unit, bool first) {
    const std::string text = static_cast<char>(unit.code) + std::string(unit.body.begin(), unit.body.end());
    if (text.size() > 4096) return false;
    if (first) headers_.insert(text);
    return headers_.contains(text);
  }

  bool is_mpeg2_;
  bool first_ = true, ended_ = false, low_delay_ = false;
  bool plain_ = true, whole_ = true;  // of this packet: only a picture; not a field
  std::uint8_t last_slice_ = 0;
  int pictures_ = 0, slices_ = 0, references_ = 0;
  FrameType type_ = FrameType::kOther;
  std::set<std::string> headers_;
};

}  // namespace

std::unique_ptr<PacketScan> make_mpeg12_scan(const AVCodecParameters& parameters) {
  return std::make_unique<Mpeg12Scan>(parameters);
}

}  // namespace actio::video
