// data: how much reading one video may cost. In: options. Out: the table "read", which all that read videos have.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/options.h"
#include "video/decoder.h"

namespace actio::data {

// What passes a limit cannot be read: Error(kBadData), with what the video asked for and the limit.
struct ReadLimits {
  static constexpr std::string_view kTable = "read";

  std::int64_t max_pixels = video::kMostPixels;  // of a frame
  double max_seconds = 0;                        // wall time that reading one video takes, its motion included; 0: no limit

  Fields fields();
};

}  // namespace actio::data
