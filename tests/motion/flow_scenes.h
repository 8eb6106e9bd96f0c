// Pairs of pictures whose optical flow is known exactly, drawn from noise octaves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace actio::testing {

struct FlowScene {
  std::string name;
  Tensor first, second;  // u8 [H, W]
  Tensor flow;           // f32 [2, H, W]: first(x) = second(x + flow(x)), x then y
};

// Translations by fractions and by several pixels, rotation, zoom, a smooth random deformation, and two objects that move
// apart over a moving ground with occlusion.
std::vector<FlowScene> flow_scenes(int width, int height, std::uint64_t seed);

// Mean length of the difference of two flow fields, pixels.
double end_point_error(const Tensor& flow, const Tensor& truth);

}  // namespace actio::testing
