// video: what the codec will make of a packet, told from headers alone. In: the packets of a stream in their order. Out: the
// picture of each, as long as that can be proved.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "video/frame.h"

struct AVCodecParameters;

namespace actio::video {

struct ScannedPicture {
  bool picture = false;  // the packet gives one
  FrameType type = FrameType::kOther;
  bool reference = true;   // the pictures after it may need it
  bool restart = false;    // nothing that is displayed after it needs a packet before it
  bool closed = false;     // a restart that nothing displayed before it follows
  bool droppable = false;  // the packet may be left out where nobody wants its picture
  bool refills = false;    // the picture comes from the packet before; that of this packet comes with the next one
  std::int64_t order = 0;  // within the pictures from one closed restart to the next: their order of display, where the
                           // headers tell it
};

// One per codec. Anything unusual ends the proof: damage, fields, changes of parameters in the middle.
class PacketScan {
 public:
  virtual ~PacketScan() = default;

  // Empty where it cannot be proved what the codec will do.
  virtual std::optional<ScannedPicture> next(std::span<const std::uint8_t> packet) = 0;

  // The codec hands out a picture at once, and no picture waits for another.
  virtual bool without_delay() const = 0;

  // False where a header that came late forbids to start at any picture but the first.
  virtual bool restarts() const { return true; }
  // False where a header that came late forbids to leave out packets.
  virtual bool drops() const { return true; }
};

// Empty for a codec whose packets cannot be judged.
std::unique_ptr<PacketScan> make_packet_scan(const AVCodecParameters& parameters);

std::unique_ptr<PacketScan> make_nal_scan(const AVCodecParameters& parameters);     // H.264 and HEVC in MP4 or Matroska
std::unique_ptr<PacketScan> make_mpeg4_scan(const AVCodecParameters& parameters);   // MPEG-4 Part 2
std::unique_ptr<PacketScan> make_mpeg12_scan(const AVCodecParameters& parameters);  // MPEG-1 and MPEG-2

}  // namespace actio::video
