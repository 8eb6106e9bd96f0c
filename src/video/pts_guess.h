// video: the time of a frame whose container gives none or a wrong one. In: what packets say. Out: one pts per frame.
#pragma once

#include <algorithm>
#include <cstdint>

namespace actio::video {

// A timestamp further from zero is damage; those that are not can be subtracted without overflow.
inline constexpr std::int64_t kFurthestTimestamp = std::int64_t{1} << 60;

inline bool is_timestamp(std::int64_t pts) { return pts >= -kFurthestTimestamp && pts <= kFurthestTimestamp; }

// The pts that a frame gets: the one that FFmpeg found, else one step after the frame before.
inline std::int64_t usable_pts(std::int64_t found, bool first, std::int64_t last, std::int64_t frame_ticks) {
  if (is_timestamp(found)) return found;
  return first ? 0 : last + std::max<std::int64_t>(1, frame_ticks);
}

// Repeats FFmpeg's choice between the pts of a frame's packet and the dts of the packet after which the frame came out:
// whichever went backwards less often so far.
class PtsGuess {
 public:
  std::int64_t next(std::int64_t pts, std::int64_t dts) {
    if (is_timestamp(dts)) {
      faulty_dts_ += dts <= last_dts_;
      last_dts_ = dts;
    } else if (is_timestamp(pts)) {
      last_dts_ = pts;
    }
    if (is_timestamp(pts)) {
      faulty_pts_ += pts <= last_pts_;
      last_pts_ = pts;
    } else if (is_timestamp(dts)) {
      last_pts_ = dts;
    }
    return (faulty_pts_ <= faulty_dts_ || !is_timestamp(dts)) && is_timestamp(pts) ? pts : dts;
  }

 private:
  std::int64_t last_pts_ = INT64_MIN, last_dts_ = INT64_MIN;
  std::int64_t faulty_pts_ = 0, faulty_dts_ = 0;
};

}  // namespace actio::video
