// video: how much of the pictures motion vectors cover and how large they are. In: frames. Out: a VectorCoverage.
#pragma once

#include <cstdint>
#include <vector>

#include "video/examine.h"

namespace actio::video {

class CoverageMeter {
 public:
  void add(const Frame& frame);
  VectorCoverage result() const;

 private:
  std::int64_t frames_ = 0;
  double share_sum_ = 0;      // over frames
  double area_ = 0;           // pixels below vectors, over all frames
  double magnitude_sum_ = 0;  // pixels per frame, times area
  std::vector<std::uint8_t> covered_;
};

}  // namespace actio::video
