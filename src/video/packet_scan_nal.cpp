// Source: ITU-T H.264, 7.3 and ITU-T H.265, 7.3 (NAL units, slice headers); ISO/IEC 14496-15 (length prefixes).
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "video/bit_reader.h"
#include "video/ffmpeg_handles.h"
#include "video/h264_reference.h"
#include "video/packet_scan.h"

namespace actio::video {
namespace {

using ParserHandle = std::unique_ptr<AVCodecParserContext, FreeByPointer<av_parser_close>>;

constexpr std::size_t kMostCompared = std::size_t{1} << 28;
constexpr std::uint32_t kRecoveryPoint = 6;  // SEI payload of H.264

// Whether an SEI message of H.264 tells where decoding may recover.
bool tells_recovery(std::span<const std::uint8_t> body) {
  std::size_t at = 0;
  const auto number = [&] {
    std::uint32_t sum = 0;
    while (at < body.size() && body[at] == 0xFF) sum += body[at++];
    return at < body.size() ? sum + body[at++] : sum;
  };
  while (at + 2 < body.size()) {
    if (number() == kRecoveryPoint) return true;
    at += number();
  }
  return false;
}

// Without the bytes that keep a unit free of start codes; only the head of it.
std::vector<std::uint8_t> unescaped_head(std::span<const std::uint8_t> unit) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < std::min<std::size_t>(unit.size(), 512); ++i) {
    const bool escape = i >= 2 && unit[i] == 3 && unit[i - 1] == 0 && unit[i - 2] == 0;
    if (!escape) bytes.push_back(unit[i]);
  }
  return bytes;
}

// How many bits the number of a picture has in a sequence parameter set of H.264; 0 for what is rare.
int frame_number_bits(std::span<const std::uint8_t> unit) {
  const auto bytes = unescaped_head(unit);
  if (bytes.size() < 5) return 0;
  BitReader reader(std::span<const std::uint8_t>(bytes).subspan(4));
  reader.exp_golomb();
  static constexpr std::array kHigh{100, 110, 122, 244, 44, 83, 86, 118, 128};
  if (std::ranges::find(kHigh, bytes[1]) != kHigh.end()) {
    const std::uint32_t chroma = reader.exp_golomb();
    reader.exp_golomb();
    reader.exp_golomb();
    const bool lossless = reader.flag(), matrices = reader.flag();
    if (chroma > 2 || lossless || matrices) return 0;
  }
  const std::uint32_t bits = reader.exp_golomb() + 4;
  return bits <= 16 && !reader.overrun() ? static_cast<int>(bits) : 0;
}

// FFmpeg's parser tells the order of display; the headers that decide where decoding may start are read here.
class NalScan : public PacketScan {
 public:
  explicit NalScan(const AVCodecParameters& parameters)
      : hevc_(parameters.codec_id == AV_CODEC_ID_HEVC),
        extra_(parameters.extradata, parameters.extradata + parameters.extradata_size) {
    if (!hevc_) length_size_ = h264_length_size(extra_);
    // One set only, so that every slice refers to it.
    if (length_size_ > 0 && !hevc_ && extra_.size() > 8 && (extra_[5] & 31) == 1) {
      const std::size_t size = static_cast<std::size_t>(extra_[6]) << 8 | extra_[7];
      if (extra_.size() >= 8 + size)
        number_bits_ = frame_number_bits(std::span<const std::uint8_t>(extra_).subspan(8, size));
    }
    if (hevc_ && extra_.size() > 22 && extra_[0] == 1) length_size_ = (extra_[21] & 3) + 1;
    context_.reset(avcodec_alloc_context3(nullptr));
    parser_.reset(av_parser_init(parameters.codec_id));
    if (!context_ || avcodec_parameters_to_context(context_.get(), &parameters) < 0) fail("no memory to scan a video");
    if (parser_) parser_->flags |= PARSER_FLAG_COMPLETE_FRAMES;
  }

  std::optional<ScannedPicture> next(std::span<const std::uint8_t> packet) override {
    if (length_size_ == 0 || !parser_) return std::nullopt;
    picture_ = {};
    picture_.picture = true;
    picture_.droppable = true;
    pictures_ = 0;
    if (!walk(packet) || pictures_ != 1 || !parse(packet)) return std::nullopt;
    if (picture_.reference) picture_.droppable = false;
    return picture_;
  }

  bool without_delay() const override { return true; }
  bool restarts() const override { return restarts_; }
  bool drops() const override { return !layered_; }

 private:
  bool walk(std::span<const std::uint8_t> packet) {
    const auto prefix = static_cast<std::size_t>(length_size_);
    std::size_t at = 0;
    while (at < packet.size()) {
      if (packet.size() - at <= prefix) return false;
      std::size_t length = 0;
      for (std::size_t i = 0; i < prefix; ++i) length = length << 8 | packet[at + i];
      at += prefix;
      if (length == 0 || length > packet.size() - at) return false;
      if (const auto unit = packet.subspan(at, length); !(hevc_ ? note_hevc(unit) : note_h264(unit))) return false;
      at += length;
    }
    return true;
  }

  bool note_h264(std::span<const std::uint8_t> unit) {
    const int type = unit[0] & 0x1F;
    if ((unit[0] & 0x80) != 0) return false;
    if (type == 9 || type == 12) return true;  // delimiter, filler
    if (type == 6) {
      if (tells_recovery(unit.subspan(1))) restarts_ = picture_.droppable = false;
      return true;
    }
    if (type == 7 || type == 8) return is_known(unit);
    if (type != 1 && type != 5) return false;
    const auto bytes = unescaped_head(unit.subspan(1, std::min<std::size_t>(unit.size() - 1, 32)));
    BitReader reader(bytes);
    if (reader.exp_golomb() != 0) return pictures_ == 1;
    ++pictures_;
    static constexpr std::array kTypes{FrameType::kP, FrameType::kB, FrameType::kI};
    const std::uint32_t slice = reader.exp_golomb();
    if (slice > 9) return false;
    picture_.type = slice % 5 < 3 ? kTypes[slice % 5] : FrameType::kOther;
    picture_.reference = (unit[0] & 0x60) != 0;
    picture_.restart = picture_.closed = type == 5;
    reader.exp_golomb();
    return number_follows(reader.bits(number_bits_));
  }

  // Pictures count the references before them; where that does not fit, something is lost or damaged.
  bool number_follows(std::uint32_t number) {
    if (number_bits_ == 0) return false;
    const std::uint32_t expected = picture_.closed ? 0 : (last_number_ + 1) & ((1U << number_bits_) - 1);
    if (picture_.reference) last_number_ = number;
    return number == expected && (picture_.reference || !picture_.closed);
  }

  bool note_hevc(std::span<const std::uint8_t> unit) {
    if (unit.size() < 3 || (unit[0] & 0x80) != 0) return false;
    const int type = unit[0] >> 1 & 0x3F;
    if ((unit[0] & 1) != 0 || unit[1] >> 3 != 0) return false;  // of another layer
    if (type == 35 || (type >= 38 && type <= 40)) return true;  // delimiter, filler, SEI
    if (type >= 32 && type <= 34) return is_known(unit);
    const bool entry = type >= 16 && type <= 21;
    if (type > 9 && !entry) return false;
    if ((unit[1] & 7) != 1) layered_ = true;
    BitReader reader(unit.subspan(2));
    if (!reader.flag()) return pictures_ == 1;
    if (entry && reader.flag()) return false;  // drops pictures that are not out yet
    ++pictures_;
    picture_.reference = type >= 16 || type % 2 != 0;
    picture_.restart = entry;
    picture_.closed = type == 19 || type == 20;
    return type < 16 || type > 18;  // a broken link
  }

  // Within limits: a file may repeat small sets as often as it has packets, and its extradata may be large.
  bool is_known(std::span<const std::uint8_t> unit) {
    compared_ += extra_.size();
    if (compared_ > kMostCompared) return false;
    return memmem(extra_.data(), extra_.size(), unit.data(), unit.size()) != nullptr;
  }

  bool parse(std::span<const std::uint8_t> packet) {
    std::uint8_t* out = nullptr;
    int size = 0;
    parser_->pict_type = AV_PICTURE_TYPE_NONE;
    parser_->field_order = AV_FIELD_BB;  // the last thing that the parser of H.264 sets
    av_parser_parse2(parser_.get(), context_.get(), &out, &size, packet.data(), static_cast<int>(packet.size()),
                     AV_NOPTS_VALUE, AV_NOPTS_VALUE, -1);
    picture_.order = parser_->output_picture_number;
    if (!hevc_) {
      return parser_->picture_structure == AV_PICTURE_STRUCTURE_FRAME && parser_->field_order == AV_FIELD_PROGRESSIVE;
    }
    static constexpr std::array kTypes{FrameType::kOther, FrameType::kI, FrameType::kP, FrameType::kB};
    const int type = parser_->pict_type;
    if (type < 1 || type > 3) return false;
    picture_.type = kTypes[static_cast<std::size_t>(type)];
    return true;
  }

  bool hevc_;
  std::vector<std::uint8_t> extra_;
  std::size_t compared_ = 0;  // bytes of it, all packets together
  int length_size_ = 0, number_bits_ = 0;
  std::uint32_t last_number_ = 0;  // of a reference
  CodecHandle context_;
  ParserHandle parser_;
  bool restarts_ = true, layered_ = false;
  ScannedPicture picture_;  // of this packet
  int pictures_ = 0;
};

}  // namespace

std::unique_ptr<PacketScan> make_nal_scan(const AVCodecParameters& parameters) {
  return std::make_unique<NalScan>(parameters);
}

}  // namespace actio::video
