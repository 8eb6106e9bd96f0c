#include "data/read_limits.h"

namespace actio::data {

Fields ReadLimits::fields() {
  return {
      {"max_pixels",
       &max_pixels,
       "pixels of a frame; a video of larger ones cannot be read",
       {},
       1,
       double{video::kMaxSide} * video::kMaxSide},
      {"max_seconds",
       &max_seconds,
       "seconds that reading a video may take, its motion included; one that takes longer cannot be read; 0: no limit",
       {},
       0,
       1e6},
  };
}

}  // namespace actio::data
