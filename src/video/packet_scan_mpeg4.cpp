// Source: ISO/IEC 14496-2, 6.2.3 (video object layer) and 6.2.5 (video object plane).
#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "video/bit_reader.h"
#include "video/ffmpeg_handles.h"
#include "video/packet_scan.h"
#include "video/start_codes.h"

namespace actio::video {
namespace {

constexpr std::uint8_t kUserDataCode = 0xB2, kGroupOfVop = 0xB3, kVisualObject = 0xB5, kPlane = 0xB6;
constexpr std::uint8_t kVisualSequenceStart = 0xB0, kVisualSequenceEnd = 0xB1;
constexpr int kMostReplaced = 16;  // B-frames in a row that wait for one another; encoders make one or two
constexpr std::uint32_t kSimple = 1, kAdvancedSimple = 17;  // video_object_type_indication

struct Layer {
  int time_bits = 0;
  std::int64_t time_resolution = 0;  // ticks of a second
  bool low_delay = false;            // no B-frames
};

void skip_matrix(BitReader& reader) {
  for (int i = 0; i < 64 && reader.bits(8) != 0; ++i) {
  }
}

// Empty for what is rare and decoded in other ways: shapes, fields, sprites, complexity estimation.
std::optional<Layer> read_layer(std::span<const std::uint8_t> body) {
  BitReader reader(body);
  Layer layer;
  reader.skip(1);
  const std::uint32_t type = reader.bits(8);
  std::uint32_t version = 1;
  if (reader.flag()) {
    version = reader.bits(4);
    reader.skip(3);
  }
  if (reader.bits(4) == 15) reader.skip(16);
  layer.low_delay = type == kSimple || type == kAdvancedSimple;  // FFmpeg's guess where nothing says it
  if (reader.flag()) {
    reader.skip(2);
    layer.low_delay = reader.flag();
    if (reader.flag()) reader.skip(79);
  }
  if (reader.bits(2) != 0 || !reader.flag()) return std::nullopt;
  layer.time_resolution = reader.bits(16);
  if (layer.time_resolution == 0 || !reader.flag()) return std::nullopt;
  layer.time_bits = std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint32_t>(layer.time_resolution - 1))));
  if (reader.flag()) reader.skip(layer.time_bits);
  reader.skip(1 + 13 + 1 + 13 + 1);
  const bool interlaced = reader.flag();
  reader.skip(1);
  const std::uint32_t sprite = reader.bits(version == 1 ? 1 : 2);
  const bool not_8_bit = reader.flag();
  if (interlaced || sprite != 0 || not_8_bit) return std::nullopt;
  if (reader.flag()) {
    if (reader.flag()) skip_matrix(reader);
    if (reader.flag()) skip_matrix(reader);
  }
  if (version != 1) reader.skip(1);
  const bool without_estimation = reader.flag();
  return without_estimation && !reader.overrun() ? std::optional(layer) : std::nullopt;
}

struct Plane {
  FrameType type = FrameType::kOther;
  std::int64_t seconds = 0, ticks = 0;  // since the reference before
  bool coded = false;
};

std::optional<Plane> read_plane(std::span<const std::uint8_t> body, const Layer& layer) {
  static constexpr std::array kTypes{FrameType::kI, FrameType::kP, FrameType::kB, FrameType::kOther};
  BitReader reader(body);
  Plane plane;
  plane.type = kTypes[reader.bits(2)];
  if (plane.type == FrameType::kOther) return std::nullopt;
  while (reader.flag() && plane.seconds < 60) ++plane.seconds;
  if (!reader.flag()) return std::nullopt;
  plane.ticks = reader.bits(layer.time_bits);
  if (!reader.flag()) return std::nullopt;
  plane.coded = reader.flag();
  if (reader.overrun() || plane.seconds >= 60) return std::nullopt;
  if (!plane.coded) return plane;
  if (plane.type == FrameType::kP) reader.skip(1);
  reader.skip(3);
  bool sound = reader.bits(5) != 0;
  if (plane.type != FrameType::kI) sound = reader.bits(3) != 0 && sound;
  if (plane.type == FrameType::kB) sound = reader.bits(3) != 0 && sound;
  return sound && !reader.overrun() ? std::optional(plane) : std::nullopt;
}

bool says_packed(std::span<const std::uint8_t> body) {
  const std::string text(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(body.size(), 255)));
  int version = 0, build = 0;
  char last = 0;
  int found = std::sscanf(text.c_str(), "DivX%dBuild%d%c", &version, &build, &last);
  if (found < 2) found = std::sscanf(text.c_str(), "DivX%db%d%c", &version, &build, &last);
  return found == 3 && last == 'p';
}

// DivX and Xvid in AVI pack the first B-frame into the packet of the reference that follows it in display. Each B-frame is
// then decoded when the next packet comes, and a small placeholder pushes the last one out.
class Mpeg4Scan : public PacketScan {
 public:
  explicit Mpeg4Scan(const AVCodecParameters& parameters) {
    if (parameters.codec_tag == MKTAG('U', 'M', 'P', '4')) sound_ = false;
    const std::span<const std::uint8_t> extra{parameters.extradata, static_cast<std::size_t>(parameters.extradata_size)};
    for_each_unit(extra, [&](const CodedUnit& unit) {
      note_header(unit, true);
      return true;
    });
  }

  std::optional<ScannedPicture> next(std::span<const std::uint8_t> packet) override {
    const bool first = std::exchange(first_, false);
    if (!sound_) return std::nullopt;
    if (packet.size() == 1 && known_encoder_) {  // a placeholder
      return pending_ ? picture_of(*std::exchange(pending_, std::nullopt), false) : ScannedPicture{.droppable = true};
    }
    planes_.clear();
    bool group = false;
    const bool clean = for_each_unit(packet, [&](const CodedUnit& unit) {
      group = group || unit.code == kGroupOfVop;
      if (unit.code != kPlane) return note_header(unit, first);
      if (!layer_) return false;
      const auto plane = read_plane(unit.body, *layer_);
      if (plane) planes_.push_back(*plane);
      return plane.has_value();
    });
    if (!clean || !sound_) return std::nullopt;
    return judge(packet.size(), group);
  }

  bool without_delay() const override { return layer_ && layer_->low_delay; }

 private:
  // Headers may be repeated, but must not change.
  bool note_header(const CodedUnit& unit, bool first) {
    if (unit.code == kVisualSequenceEnd) return false;
    if (unit.code == kGroupOfVop) {
      BitReader reader(unit.body);
      const std::int64_t hours = reader.bits(5), minutes = reader.bits(6);
      reader.skip(1);
      base_ = 3600 * hours + 60 * minutes + reader.bits(6);
      return !reader.overrun();
    }
    const bool layer = unit.code >= 0x20 && unit.code <= 0x2F;
    const bool known =
        unit.code <= 0x2F || unit.code == kUserDataCode || unit.code == kVisualObject || unit.code == kVisualSequenceStart;
    if (!known) return false;
    const std::string text = static_cast<char>(unit.code) + std::string(unit.body.begin(), unit.body.end());
    if (text.size() > 4096) return false;
    if (!first) return headers_.contains(text);
    headers_.insert(text);
    if (layer) {
      const auto read = read_layer(unit.body);
      const bool changed = layer_ && read && (layer_->low_delay != read->low_delay || layer_->time_bits != read->time_bits);
      if (!read || changed) return sound_ = false;
      layer_ = read;
    }
    if (unit.code == kUserDataCode) {
      packed_ = packed_ || says_packed(unit.body);
      known_encoder_ = known_encoder_ ||
                       text.starts_with(
                           "\xB2"
                           "DivX") ||
                       text.starts_with("\xB2XviD");
    }
    return true;
  }

  std::optional<ScannedPicture> judge(std::size_t size, bool group) {
    if (pending_) return judge_replaced(size, group);
    if (planes_.empty() || planes_.size() > 2) return std::nullopt;
    const Plane& plane = planes_[0];
    if (!plane.coded) {
      if (planes_.size() > 1 || group) return std::nullopt;
      advance(plane);
      return ScannedPicture{};
    }
    if (planes_.size() == 2) {
      const bool packs = packed_ && plane.type != FrameType::kB && planes_[1].coded && planes_[1].type == FrameType::kB;
      if (!packs) return std::nullopt;
      pending_ = planes_[1];
      replaced_ = 0;
    }
    return picture_of(plane, !group);
  }

  // The packed B-frame is decoded in place of this packet, which must be a placeholder or another B-frame, which then waits.
  std::optional<ScannedPicture> judge_replaced(std::size_t size, bool group) {
    if (planes_.size() != 1 || group) return std::nullopt;
    const Plane waiting = *std::exchange(pending_, std::nullopt);
    const Plane& plane = planes_[0];
    if (plane.coded ? plane.type != FrameType::kB : size > std::size_t{kMostPlaceholder}) return std::nullopt;
    if (!plane.coded && plane.type != FrameType::kP && size > 7) return std::nullopt;  // FFmpeg would decode it
    if (plane.coded) pending_ = plane;
    replaced_ = plane.coded ? replaced_ + 1 : 0;
    if (replaced_ > kMostReplaced) return std::nullopt;
    auto picture = picture_of(waiting, false);
    if (picture) picture->refills = plane.coded;
    return picture;
  }

  // Empty for a B-frame that FFmpeg skips as it does not lie between its references.
  std::optional<ScannedPicture> picture_of(const Plane& plane, bool droppable) {
    if (!advance(plane)) return std::nullopt;
    ScannedPicture picture;
    picture.picture = true;
    picture.type = plane.type;
    picture.reference = plane.type != FrameType::kB;
    picture.restart = plane.type == FrameType::kI;
    picture.droppable = droppable && plane.type == FrameType::kB;
    return picture;
  }

  bool advance(const Plane& plane) {
    if (plane.type != FrameType::kB) {
      base_before_ = base_;
      base_ += plane.seconds;
      const std::int64_t time = base_ * layer_->time_resolution + plane.ticks;
      interval_ = time - reference_time_;
      reference_time_ = time;
      return true;
    }
    const std::int64_t time = (base_before_ + plane.seconds) * layer_->time_resolution + plane.ticks;
    const std::int64_t before = interval_ - (reference_time_ - time);
    return interval_ < 65536 && before > 0 && before < interval_ && !layer_->low_delay;
  }

  bool sound_ = true, first_ = true, packed_ = false, known_encoder_ = false;
  std::set<std::string> headers_;
  std::optional<Layer> layer_;
  std::vector<Plane> planes_;     // of this packet
  std::optional<Plane> pending_;  // packed with the reference before
  int replaced_ = 0;              // packets in a row whose B-frame took the place of one that waited
  std::int64_t base_ = 0, base_before_ = 0, reference_time_ = 0, interval_ = 0;
};

}  // namespace

std::unique_ptr<PacketScan> make_mpeg4_scan(const AVCodecParameters& parameters) {
  return std::make_unique<Mpeg4Scan>(parameters);
}

}  // namespace actio::video
