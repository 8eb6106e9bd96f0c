#include "motion/vector_field.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace actio::motion {
namespace {

std::int64_t cells_along(int pixels) { return (static_cast<std::int64_t>(pixels) + kCellPixels - 1) / kCellPixels; }

// A cell belongs to the block that holds its centre; the last one may end with the picture before its centre. Returns: the
// first cell whose point is at `pixel` or further, up to the number of cells.
std::int64_t first_cell(int pixel, int pixels) {
  const std::int64_t cells = cells_along(pixels);
  if (pixel >= pixels) return cells;
  if (pixel <= kCellPixels / 2) return 0;
  const std::int64_t cell = (pixel - kCellPixels / 2 + kCellPixels - 1) / kCellPixels;
  return std::min(cell, cells - 1);
}

}  // namespace

Tensor rasterise(std::span<const video::BlockVector> vectors, int width, int height) {
  const std::int64_t columns = cells_along(width), rows = cells_along(height);
  Tensor field({2, rows, columns});
  float* x = field.data<float>();
  float* y = x + rows * columns;
  std::vector<std::uint8_t> painted(static_cast<std::size_t>(rows * columns));
  for (const video::BlockVector& vector : vectors) {
    const std::int64_t left = first_cell(vector.x, width), right = first_cell(vector.x + vector.width, width);
    const std::int64_t top = first_cell(vector.y, height), bottom = first_cell(vector.y + vector.height, height);
    for (std::int64_t row = top; row < bottom; ++row) {
      for (std::int64_t cell = row * columns + left; cell < row * columns + right; ++cell) {
        x[cell] += vector.dx;
        y[cell] += vector.dy;
        if (painted[cell] < UINT8_MAX) ++painted[cell];
      }
    }
  }
  for (std::int64_t cell = 0; cell < rows * columns; ++cell) {
    if (painted[cell] < 2) continue;
    x[cell] /= painted[cell];
    y[cell] /= painted[cell];
  }
  return field;
}

}  // namespace actio::motion
