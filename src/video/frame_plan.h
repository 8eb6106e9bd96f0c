// video: which packets have to be decoded for some frames of a file. In: its FrameIndex, the frames. Out: runs of packets,
// and what to do with each packet in them.
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

 private:
  void add_carried();
  void add_runs();
  std::int32_t last_packet(std::int64_t index) const;
  std::int64_t next_reference(std::int64_t index) const;
  bool is_wanted(const Run& run, std::int32_t packet) const;
  bool any_reference(std::int32_t begin, std::int32_t end) const;

  const FrameIndex& index_;
  std::vector<std::int64_t> wanted_;
  std::optional<VectorReader::Kind> vectors_;
  std::vector<Run> runs_;
};

}  // namespace actio::video
