#include "data/clip_facts.h"

#include <algorithm>

#include "core/error.h"

namespace actio::data {
namespace {

// Where the clip ends clearly before its container says, how much is missing.
std::string shortfall_of(const ClipFacts& facts) {
  const double fps = facts.frames_per_second;
  const auto found = facts.frames + facts.left_out;
  const auto frames = static_cast<double>(found), claimed = static_cast<double>(facts.claimed);
  // A duration is a coarse measure, so there both the count and the time must fall short. AVI counts what stands in for
  // B-frames and fields, so its count needs the time too; the time it claims is that of its count, as FFmpeg shortens the
  // duration of an AVI that was cut.
  const double expected_seconds = std::max(facts.duration, fps > 0 ? claimed / fps : 0);
  const auto shown = static_cast<double>(facts.frames);
  const double end = facts.frames > 1 ? facts.last_time * frames / (shown - 1) : fps > 0 ? frames / fps : 0;
  const bool early = end < 0.9 * expected_seconds;
  if (facts.claimed > 0) {
    // Containers are often wrong by a frame or two.
    if (facts.claimed - found <= 2 + facts.claimed / 10) return {};
    if (facts.container == "avi" && fps > 0 && !early) return {};
    return fmt::format("ends after {} of {} frames", facts.frames, facts.claimed);
  }
  const double expected = facts.duration * fps;
  if (!early || frames >= 0.9 * expected || expected - frames < 5) return {};
  return fmt::format("ends after {} frames at {:.2f} s; the container claims {:.2f} s", facts.frames, end, facts.duration);
}

}  // namespace

ClipFacts facts_of(const video::Decoder& decoder, std::int64_t frames, double last_time) {
  const video::DecodeCounters& counters = decoder.counters();
  const video::StreamInfo& info = decoder.info();
  return {frames,
          counters.damaged,
          counters.errors,
          info.frames_claimed,
          info.container,
          info.frames_per_second,
          info.duration_seconds,
          last_time,
          counters.left_out,
          false,
          {}};
}

std::vector<std::string> warnings_of(const std::string& path, const ClipFacts& facts) {
  std::vector<std::string> warnings;
  if (facts.damaged > 0)
    warnings.push_back(fmt::format("{}: {} of {} frames are damaged", path, facts.damaged, facts.frames));
  if (facts.errors > 0) warnings.push_back(fmt::format("{}: {} packets could not be decoded", path, facts.errors));
  if (const std::string text = shortfall_of(facts); !text.empty()) warnings.push_back(fmt::format("{}: {}", path, text));
  if (facts.left_out > 0) {
    warnings.push_back(fmt::format("{}: begins without a key frame; {} left out that cannot be decoded without it", path,
                                   facts.left_out == 1 ? "1 frame is" : fmt::format("{} frames are", facts.left_out)));
  }
  if (!facts.times.fault.empty()) {
    warnings.push_back(fmt::format("{}: its time stamps {}; its segments are equal in frames, not in time", path, facts.times.fault));
  }
  if (facts.motionless) {
    warnings.push_back(fmt::format("{}: no frame carries motion vectors; its motion input is zero", path));
  }
  return warnings;
}

}  // namespace actio::data
