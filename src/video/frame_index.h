// video: which packet holds which frame of a file. In: its packets, without decoding them. Out: the frames in display order,
// and where decoding can start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "video/input.h"

namespace actio::video {

struct IndexedPacket {
  std::int64_t position = 0;  // in the file, bytes; tells it from others
  std::int64_t time = 0;      // what the container's seek looks for
  std::int32_t size = 0;
  std::int32_t display = -1;  // index of its frame; -1 where it gives none
  FrameType type = FrameType::kOther;
  bool reference = true;   // the frames after it may need it
  bool droppable = false;  // the packet may be left out where nobody wants its frame
  bool refills = false;    // its frame waited in the codec, and another one waits after it
};

struct IndexedFrame {
  std::int64_t pts = 0;       // as the whole decode gives it
  std::int32_t packet = 0;    // from which it is decoded
  std::int32_t trigger = -1;  // the packet after which the codec hands it out; -1 at the end of the stream or where unknown
};

// Where decoding can start: no frame from `display` on needs a packet before `packet`.
struct RestartPoint {
  std::int32_t packet = 0, display = 0;
};

// 50 bytes a frame. There is none where anything about the file leaves a doubt: exactness comes first.
class FrameIndex {
 public:
  FrameIndex() = default;
  // `frames` in display order, `restarts` by their frames, the first of them for frame 0; each frame's packet names it.
  FrameIndex(std::vector<IndexedPacket> packets, std::vector<IndexedFrame> frames, std::vector<RestartPoint> restarts)
      : packets_(std::move(packets)), frames_(std::move(frames)), restarts_(std::move(restarts)) {}

  // Whether it is worth trying: build() does not read a file where this is false.
  static bool can_build(const Input& input);

  // Reads `input` to its end and adds the packets to `scanned`. Empty where the order of frames cannot be proved.
  static std::optional<FrameIndex> build(Input& input, std::int64_t& scanned);

  std::int64_t frames() const { return static_cast<std::int64_t>(frames_.size()); }
  const std::vector<IndexedPacket>& packets() const { return packets_; }
  const IndexedFrame& frame(std::int64_t index) const { return frames_[static_cast<std::size_t>(index)]; }
  const IndexedPacket& packet_of(std::int64_t index) const {
    return packets_[static_cast<std::size_t>(frame(index).packet)];
  }

  // Where decoding can start, by their frames; the first of them for frame 0.
  const std::vector<RestartPoint>& restarts() const { return restarts_; }

  // The last one from which frame `index` can be decoded.
  const RestartPoint& restart_before(std::int64_t index) const;

 private:
  friend class IndexBuilder;
  std::vector<IndexedPacket> packets_;
  std::vector<IndexedFrame> frames_;
  std::vector<RestartPoint> restarts_;
};

}  // namespace actio::video
