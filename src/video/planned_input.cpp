#include "video/planned_input.h"

#include "video/ffmpeg_handles.h"

namespace actio::video {
namespace {

constexpr std::int64_t kSkippedByReading = 1 << 16;  // bytes: reading past fewer is as fast as seeking

}  // namespace

bool PlannedInput::matches(const AVPacket& packet, std::int32_t number) const {
  const IndexedPacket& entry = index_.packets()[static_cast<std::size_t>(number)];
  return packet.pos == entry.position && packet.size == entry.size;
}

bool PlannedInput::read(Input& input, AVPacket& packet) {
  if (!ahead_) {
    if (input.read(packet) < 0) return false;
    ++packets_read_;
  }
  ahead_ = false;
  number_ = position_++;
  return matches(packet, number_);
}

bool PlannedInput::seek(Input& input, AVPacket& packet) {
  const std::int32_t target = run().first;
  if (!input.seek(index_.packets()[static_cast<std::size_t>(target)].time) || input.read(packet) < 0) return false;
  ++packets_read_;
  // A container may only know of places before the one that was asked for.
  for (position_ = target; position_ >= 0 && !matches(packet, position_);) --position_;
  return ahead_ = position_ >= 0;
}

bool PlannedInput::go_to_run(Input& input, AVPacket& packet) {
  const std::int32_t target = run().first;
  const auto place = [&](std::int32_t number) { return index_.packets()[static_cast<std::size_t>(number)].position; };
  if (position_ < 0) {
    if (!seek(input, packet)) {
      input.reopen();
      ahead_ = false;
      position_ = 0;
    }
  } else if (input.seeks_exactly() && place(target) - place(position_) > kSkippedByReading && !seek(input, packet)) {
    return false;
  }
  while (position_ < target) {
    if (!read(input, packet)) return false;
  }
  return true;
}

PlannedInput::Fetched PlannedInput::fetch(Input& input, AVPacket& packet) {
  if (!at_run_) {
    if (!go_to_run(input, packet)) return Fetched::kSurprise;
    at_run_ = true;
  }
  while (position_ <= run().last) {
    if (!read(input, packet)) return Fetched::kSurprise;
    action_ = plan_.action(run(), number_);
    if (action_ != FramePlan::Action::kDrop) return Fetched::kPacket;
  }
  return Fetched::kEndOfRun;
}

bool PlannedInput::next_run() {
  if (!has_next_run()) return false;
  ++run_;
  at_run_ = false;
  return true;
}

}  // namespace actio::video
