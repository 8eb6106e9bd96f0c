#include "video/frame_plan.h"

#include <algorithm>
#include <utility>

namespace actio::video {
namespace {

using Kind = VectorReader::Kind;

constexpr std::int64_t kMostReordered = 32;  // frames; codecs allow 16

}  // namespace

FramePlan::FramePlan(const FrameIndex& index, std::vector<std::int64_t> wanted, std::optional<Kind> vectors, bool carry)
    : index_(index), wanted_(std::move(wanted)), vectors_(vectors) {
  if (carry && vectors_) add_carried();
  add_runs();
}

std::int64_t FramePlan::next_reference(std::int64_t index) const {
  while (++index < index_.frames() && !index_.packet_of(index).reference) {
  }
  return index;
}

bool FramePlan::expects_vectors(std::int64_t index) const {
  const FrameType type = index_.packet_of(index).type;
  if (!vectors_ || type == FrameType::kI) return false;
  if (*vectors_ == Kind::kSeveral) return true;
  if (type == FrameType::kB) {
    if (*vectors_ == Kind::kOneReference) return true;
    const std::int64_t next = next_reference(index);
    return next < index_.frames() && expects_vectors(next);
  }
  return index_.frame(index).trigger >= 0;  // FFmpeg exports none for what it hands out at the end
}

void FramePlan::add_carried() {
  std::vector<std::int64_t> carried;
  for (const std::int64_t index : wanted_) {
    std::int64_t before = index;
    while (before >= 0 && !expects_vectors(before) && (carried.empty() || before > carried.back())) --before;
    if (before >= 0 && before < index) carried.push_back(before);
  }
  wanted_.insert(wanted_.end(), carried.begin(), carried.end());
  std::ranges::sort(wanted_);
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
}

// The last packet that the codec must have seen so that the frame, and what its vectors refer to, is as in a whole decode.
std::int32_t FramePlan::last_packet(std::int64_t index) const {
  const IndexedFrame& frame = index_.frame(index);
  std::int32_t last = frame.packet;
  if (vectors_ && *vectors_ != Kind::kSeveral) {
    // FFmpeg exports the vectors of a reference when the next one pushes it out.
    if (!expects_vectors(index)) return last;
    const bool borrows = *vectors_ == Kind::kWithoutB && index_.packet_of(index).type == FrameType::kB;
    const std::int64_t source = borrows ? next_reference(index) : index;
    return std::max(last, index_.frame(source).trigger);
  }
  for (std::int64_t before = std::max<std::int64_t>(0, index - kMostReordered); before < index; ++before) {
    if (index_.packet_of(before).reference) last = std::max(last, index_.frame(before).packet);
  }
  return last;
}

bool FramePlan::any_reference(std::int32_t begin, std::int32_t end) const {
  const auto& packets = index_.packets();
  return std::any_of(packets.begin() + begin, packets.begin() + end,
                     [](const IndexedPacket& packet) { return packet.reference; });
}

// The cost is counted in references, which cannot be left out: starting anew at a restart point is cheaper as soon as one
// lies between the packets decoded so far and that point.
void FramePlan::add_runs() {
  for (const std::int64_t index : wanted_) {
    const RestartPoint& restart = index_.restart_before(index);
    const std::int32_t last = last_packet(index);
    if (!runs_.empty()) {
      Run& run = runs_.back();
      if (restart.packet <= run.last + 1 || !any_reference(run.last + 1, restart.packet)) {
        run.last = std::max(run.last, last);
        continue;
      }
    }
    runs_.push_back({restart.packet, last, restart.display});
  }
}

bool FramePlan::is_wanted(const Run& run, std::int32_t packet) const {
  const std::int32_t display = index_.packets()[static_cast<std::size_t>(packet)].display;
  return display >= run.display && std::ranges::binary_search(wanted_, display);
}

FramePlan::Action FramePlan::action(const Run& run, std::int32_t packet) const {
  const auto entry = [&](std::int32_t number) { return index_.packets()[static_cast<std::size_t>(number)]; };
  const IndexedPacket own = entry(packet);
  if (own.display < 0) return own.droppable ? Action::kDrop : Action::kDecode;
  if (own.reference) return own.display >= run.display ? Action::kDecode : Action::kDrop;
  if (is_wanted(run, packet)) return Action::kDecode;
  if (own.droppable) return Action::kDrop;
  // B-frames that wait in the codec for the next packet: skipping one loses those that would wait after it.
  for (std::int32_t later = packet; entry(later).refills;) {
    if (is_wanted(run, ++later)) return Action::kDecode;
  }
  const bool follows = packet > run.first && entry(packet - 1).refills;
  return follows && action(run, packet - 1) != Action::kDecode ? Action::kDrop : Action::kSkipPicture;
}

}  // namespace actio::video
