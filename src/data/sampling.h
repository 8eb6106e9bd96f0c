// data: which frames of a clip are looked at. In: the number of frames. Out: frame and motion field indices.
#pragma once

#include <cstdint>
#include <vector>

#include "core/preprocess.h"
#include "core/rng.h"

namespace actio::data {

enum class Sampling {
  kCentre,  // a fixed place in each segment
  kRandom,  // a random frame of each segment
};

// One frame from each of `segments` equal parts of the clip; a clip with fewer frames than segments repeats frames in order.
// The result never decreases and lies in [0, frames). `place` is where kCentre looks, 0 at the start of a segment and 1 at
// its end: STFN's five test sequences take 0.1, 0.3, 0.5, 0.7 and 0.9. kCentre draws nothing from `rng`.
// Source: Wang et al., Temporal Segment Networks, sec. 3.1.
// Throws: Error(kInternal) for less than one frame; Error(kUsage) for less than one segment, or a place outside of [0, 1].
std::vector<std::int64_t> sample_segments(std::int64_t frames, std::int64_t segments, Sampling sampling, Rng& rng,
                                          double place = 0.5);

// The `length` motion fields that belong to the snippet at `frame`; field f is the motion from frame f - 1 to f. `window` is
// "starting" (t + 1 .. t + length) or "centred" (t - length / 2 + 1 .. t + length / 2; an odd length has its middle at t).
// Fields outside of the clip are replaced by the nearest inside, [1, frames); in a clip of one frame they are field 0: no
// motion.
// Source: TSN and IF-TTN ("starting"), STFN sec. 4.2 ("centred").
std::vector<std::int64_t> motion_window(std::int64_t frame, std::int64_t frames, std::int64_t length,
                                        MotionWindow window);

// The `length` frames of the snippet at `frame`: t .. t + length - 1, or centred as motion windows are. Frames outside of the clip are
// replaced by the nearest inside.
std::vector<std::int64_t> frame_window(std::int64_t frame, std::int64_t frames, std::int64_t length, MotionWindow window);

}  // namespace actio::data
