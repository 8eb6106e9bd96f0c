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
  if (vectors_) find_vectors();
  if (carry && vectors_) add_carried();
  add_runs();
  follow_chains();
}

// From the last frame to the first, as B-frames take the vectors of the reference after them.
void FramePlan::find_vectors() {
  const std::int64_t frames = index_.frames();
  expects_vectors_.resize(static_cast<std::size_t>(frames));
  next_reference_.resize(static_cast<std::size_t>(frames));
  auto next = static_cast<std::int32_t>(frames);
  for (std::int64_t index = frames - 1; index >= 0; --index, ++steps_) {
    const IndexedPacket& packet = index_.packet_of(index);
    bool expects = packet.type != FrameType::kI;
    if (expects && *vectors_ != Kind::kSeveral) {
      if (packet.type != FrameType::kB) {
        expects = index_.frame(index).trigger >= 0;  // FFmpeg exports none for what it hands out at the end
      } else if (*vectors_ == Kind::kWithoutB) {
        expects = next < frames && next - index <= kMaxAhead && expects_vectors_[static_cast<std::size_t>(next)];
      }
    }
    expects_vectors_[static_cast<std::size_t>(index)] = expects;
    next_reference_[static_cast<std::size_t>(index)] = next;
    if (packet.reference) next = static_cast<std::int32_t>(index);
  }
}

bool FramePlan::expects_vectors(std::int64_t index) const {
  return vectors_ && expects_vectors_[static_cast<std::size_t>(index)];
}

void FramePlan::add_carried() {
  std::vector<std::int64_t> carried;
  std::int64_t at = 0, nearest = -1;  // the last frame before `at` that should have vectors
  for (const std::int64_t index : wanted_) {
    for (; at <= index; ++at, ++steps_) {
      if (expects_vectors(at)) nearest = at;
    }
    if (nearest >= 0 && nearest < index) carried.push_back(nearest);
  }
  wanted_.insert(wanted_.end(), carried.begin(), carried.end());
  std::ranges::sort(wanted_);
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
}

// The last packet that the codec must have seen so that the frame, and what its vectors refer to, is as in a whole decode.
std::int32_t FramePlan::last_packet(std::int64_t index) {
  const IndexedFrame& frame = index_.frame(index);
  std::int32_t last = frame.packet;
  if (vectors_ && *vectors_ != Kind::kSeveral) {
    // FFmpeg exports the vectors of a reference when the next one pushes it out.
    if (!expects_vectors(index)) return last;
    const bool borrows = *vectors_ == Kind::kWithoutB && index_.packet_of(index).type == FrameType::kB;
    const std::int64_t source = borrows ? next_reference_[static_cast<std::size_t>(index)] : index;
    return std::max(last, index_.frame(source).trigger);
  }
  for (std::int64_t before = std::max<std::int64_t>(0, index - kMostReordered); before < index; ++before, ++steps_) {
    if (index_.packet_of(before).reference) last = std::max(last, index_.frame(before).packet);
  }
  return last;
}

bool FramePlan::any_reference(std::int32_t begin, std::int32_t end) {
  for (; begin < end; ++begin, ++steps_) {
    if (packet(begin).reference) return true;
  }
  return false;
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

// From the last packet to the first, as one that waits for the next goes where that one goes.
void FramePlan::follow_chains() {
  const auto& packets = index_.packets();
  if (std::ranges::none_of(packets, &IndexedPacket::refills)) return;
  wanted_behind_.assign(packets.size(), -1);
  for (std::size_t i = packets.size() - 1; i-- > 0; ++steps_) {
    if (!packets[i].refills) continue;
    const std::int32_t next = packets[i + 1].display;
    const bool wanted = next >= 0 && std::ranges::binary_search(wanted_, next);
    wanted_behind_[i] = std::max(wanted ? next : -1, wanted_behind_[i + 1]);
  }
}

bool FramePlan::is_wanted(const Run& run, std::int32_t number) const {
  const std::int32_t display = packet(number).display;
  return display >= run.display && std::ranges::binary_search(wanted_, display);
}

// Whether the packet is decoded whatever waits behind it in the codec.
bool FramePlan::is_decoded(const Run& run, std::int32_t number) const {
  const IndexedPacket& own = packet(number);
  if (own.display < 0) return !own.droppable;
  return own.reference ? own.display >= run.display : is_wanted(run, number);
}

FramePlan::Action FramePlan::action(const Run& run, std::int32_t number) const {
  const IndexedPacket& own = packet(number);
  if (is_decoded(run, number)) return Action::kDecode;
  if (own.display < 0 || own.reference || own.droppable) return Action::kDrop;
  // B-frames that wait in the codec for the next packet: skipping one loses those that would wait after it.
  if (!wanted_behind_.empty() && wanted_behind_[static_cast<std::size_t>(number)] >= run.display) return Action::kDecode;
  // Nothing behind this one is wanted, so that the one before is decoded for its own sake or not at all.
  const bool follows = number > run.first && packet(number - 1).refills;
  return follows && !is_decoded(run, number - 1) ? Action::kDrop : Action::kSkipPicture;
}

}  // namespace actio::video
