#include "video/coverage.h"

#include <algorithm>
#include <cmath>

namespace actio::video {
namespace {

constexpr int kBlock = 8;  // pixels: the smallest block that is exported

}  // namespace

void CoverageMeter::add(const Frame& frame) {
  ++frames_;
  const int columns = (frame.width + kBlock - 1) / kBlock, rows = (frame.height + kBlock - 1) / kBlock;
  covered_.assign(static_cast<std::size_t>(columns) * rows, 0);
  double covered_area = 0;
  for (const BlockVector& vector : frame.vectors) {
    const int left = std::max<int>(vector.x, 0), right = std::min<int>(vector.x + vector.width, frame.width);
    const int top = std::max<int>(vector.y, 0), bottom = std::min<int>(vector.y + vector.height, frame.height);
    if (left >= right || top >= bottom) continue;
    const double area = static_cast<double>(right - left) * (bottom - top);
    area_ += area;
    magnitude_sum_ += area * std::hypot(vector.dx, vector.dy);
    // Blocks of both directions lie on the same place, whose area counts once.
    for (int row = top / kBlock; row <= (bottom - 1) / kBlock; ++row) {
      for (int column = left / kBlock; column <= (right - 1) / kBlock; ++column) {
        std::uint8_t& cell = covered_[static_cast<std::size_t>(row) * columns + column];
        if (cell != 0) continue;
        cell = 1;
        covered_area += static_cast<double>(std::min(kBlock, frame.width - column * kBlock)) *
                        std::min(kBlock, frame.height - row * kBlock);
      }
    }
  }
  const double picture_area = static_cast<double>(frame.width) * frame.height;
  if (picture_area > 0) share_sum_ += covered_area / picture_area;
}

VectorCoverage CoverageMeter::result() const {
  VectorCoverage coverage;
  coverage.frames = frames_;
  if (frames_ > 0) coverage.mean_share = share_sum_ / static_cast<double>(frames_);
  if (area_ > 0) coverage.mean_magnitude = magnitude_sum_ / area_;
  return coverage;
}

}  // namespace actio::video
