// motion: motion images for the eye. In: displacements. Out: colours: the hue tells the direction, white does not move.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace actio::motion {

// The colour of a displacement whose length `full` has full colour; longer ones have it too. Right is red, down yellow-green,
// left cyan, up violet.
// Shape: rgb 3 values.
void wheel_colour(double x, double y, double full, std::uint8_t* rgb);

// A motion image as a picture of another size, by the nearest pixel. Units: `full` in levels of the image.
// Shape: image u8 [2, h, w] -> u8 [height, width, 3].
Tensor coloured(const Tensor& image, double full, std::int64_t height, std::int64_t width);

// Draws the wheel that explains the colours into the lower right corner, a fifth of the picture's short side wide.
// Shape: picture u8 [H, W, 3].
void draw_wheel(Tensor& picture);

}  // namespace actio::motion
