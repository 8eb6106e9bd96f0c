// video: which packets have to be decoded for some frames of a file. In: its FrameIndex, the frames. Out: runs of packets,
// and what to do with each packet in them. It takes time in proportion to the index, whatever that holds.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "video/frame_index.h"
#include "video/vector_reader.h"

namespace actio::video {

class FramePlan {
 public:
  // Packets `first` to `last`, decoded from a restart point. Frames before `display` cannot be decoded in it.
  struct Run {
    std::int32_t first = 0, last = 0, display = 0;
  };
  enum class Action {
    kDecode,
    kSkipPicture,  // the packet has to reach the codec, its picture need not be decoded
    kDrop,
  };

  // `wanted`: in ascending order, all in the file. `vectors`: how they are read, where they are. With `carry`, a wanted
  // frame without vectors wants the nearest one before it that has some, too.
  FramePlan(const FrameIndex& index, std::vector<std::int64_t> wanted, std::optional<VectorReader::Kind> vectors,
            bool carry);

  const std::vector<std::int64_t>& wanted() const { return wanted_; }
  const std::vector<Run>& runs() const { return runs_; }

  Action action(const Run& run, std::int32_t packet) const;

  // Whether the frame should have vectors, by its type.
  bool expects_vectors(std::int64_t index) const;

  // Frames and packets looked at to make the plan; the cost of it.
  std::int64_t steps() const { return steps_; }

 private:
  void find_vectors();
  void add_carried();
  void add_runs();
  void follow_chains();
  std::int32_t last_packet(std::int64_t index);
  bool is_wanted(const Run& run, std::int32_t number) const;
  bool is_decoded(const Run& run, std::int32_t number) const;
  bool any_reference(std::int32_t begin, std::int32_t end);
  const IndexedPacket& packet(std::int32_t number) const { return index_.packets()[static_cast<std::size_t>(number)]; }

  const FrameIndex& index_;
  std::vector<std::int64_t> wanted_;
  std::optional<VectorReader::Kind> vectors_;
  std::vector<Run> runs_;
  // Of each frame, where vectors are read: whether it should have some; the reference after it in display.
  std::vector<bool> expects_vectors_;
  std::vector<std::int32_t> next_reference_;
  // Of each packet: the last wanted frame among the packets that wait behind it in the codec, -1 where there is none. Empty
  // where no packet waits.
  std::vector<std::int32_t> wanted_behind_;
  std::int64_t steps_ = 0;
};

}  // namespace actio::video
