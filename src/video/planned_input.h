// video: reads the packets that a FramePlan asks for. In: a file, its index, a plan. Out: packets with their numbers.
#pragma once

#include <cstdint>
#include <utility>

#include "video/frame_index.h"
#include "video/frame_plan.h"
#include "video/input.h"

namespace actio::video {

// Every packet is compared with the index, so that a seek that went elsewhere is noticed.
class PlannedInput {
 public:
  PlannedInput(const FrameIndex& index, const FramePlan& plan) : index_(index), plan_(plan) {}

  enum class Fetched { kPacket, kEndOfRun, kSurprise };

  // The next packet of the run that is not dropped. kSurprise: the file does not give what the index says.
  Fetched fetch(Input& input, AVPacket& packet);
  std::int32_t number() const { return number_; }  // of the packet fetched last
  FramePlan::Action action() const { return action_; }

  // Goes on to the next run. Returns: false where there is none.
  bool next_run();
  bool has_next_run() const { return run_ + 1 < plan_.runs().size(); }
  const FramePlan::Run& run() const { return plan_.runs()[run_]; }

  // Packets read since this was asked last.
  std::int64_t take_packets_read() { return std::exchange(packets_read_, 0); }

 private:
  bool go_to_run(Input& input, AVPacket& packet);
  bool seek(Input& input, AVPacket& packet);
  bool read(Input& input, AVPacket& packet);
  bool matches(const AVPacket& packet, std::int32_t number) const;

  const FrameIndex& index_;
  const FramePlan& plan_;
  std::size_t run_ = 0;
  bool at_run_ = false;
  bool ahead_ = false;          // `packet` already holds packet position_
  std::int32_t position_ = -1;  // the packet that the input gives next; -1: its end was reached by the index
  std::int32_t number_ = 0;
  FramePlan::Action action_ = FramePlan::Action::kDecode;
  std::int64_t packets_read_ = 0;
};

}  // namespace actio::video
