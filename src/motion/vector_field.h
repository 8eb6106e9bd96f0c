// motion: codec block vectors as a dense field. In: the vectors of one frame. Out: displacement per pixel cell.
#pragma once

#include <span>

#include "core/tensor.h"
#include "video/frame.h"

namespace actio::motion {

// Pixels per side of one cell of a rasterised field: the smallest block of H.264.
inline constexpr int kCellPixels = 4;

// Paints each block's displacement onto the cells it covers; cells without a vector are zero. Where a past and a future
// vector cover the same cell (bidirectional blocks) their mean is taken.
// Shape: f32 [2, ceil(height / 4), ceil(width / 4)], x then y. Units: pixels per frame.
Tensor rasterise(std::span<const video::BlockVector> vectors, int width, int height);

}  // namespace actio::motion
