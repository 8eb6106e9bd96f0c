// motion: optical flow as 8-bit images, the form in which it is kept and read. In: two frames' grey pictures. Out: one motion
// image. A field that comes from a file and one that is computed now are therefore the same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/inputs.h"
#include "core/tensor.h"
#include "motion/tvl1.h"

namespace actio::motion {

inline constexpr std::uint8_t kNoMotion = 128;  // the level of a pixel that does not move

// Two computations with the same settings give the same images.
struct FlowSettings {
  std::string quality = "paper";  // the name of `tvl1`
  Tvl1Options tvl1;
  std::int64_t short_side = 256;  // pixels, of the pictures that flow is computed on; 0: as in the video
  double bound = 20;              // pixels at a short side of 256; larger displacements are clipped
};

// Throws: Error(kUsage) for an unknown quality, and a short side that is neither 0 nor 16 and more.
FlowSettings flow_settings(const Preprocess& preprocess);
FlowSettings flow_settings(const InputSpec& input);

// A grey picture scaled so that its short side has `short_side` pixels (0: as it is), by one antialiased bilinear resampling.
// No side gets less than 16 pixels or more than 16384, whatever the proportions.
// Shape: u8 [H, W] -> u8 [h, w].
Tensor scaled_grey(const Tensor& grey, std::int64_t short_side);

// round(128 + v * 127 / bound), where v is the displacement in the units of a short side of 256, clipped to +-bound.
// Shape: flow f32 [2, h, w], x then y, pixels -> u8 [2, h, w].
Tensor motion_image(const Tensor& flow, double bound);

// Shape: u8 [2, h, w], all kNoMotion.
Tensor still_image(std::int64_t height, std::int64_t width);

// Computes motion images; keeps its working memory while the pictures' size stays the same.
// Threads: one object belongs to one thread at a time; it may use `threads` of its own. The result does not depend on them.
class FlowComputer {
 public:
  explicit FlowComputer(const FlowSettings& settings, int threads = 1) : settings_(settings), threads_(threads) {}

  // The motion from `first` to `second`; none where the video changes its size between them.
  // Shape: u8 [h, w] each, as scaled_grey gives them -> u8 [2, h, w].
  Tensor image(const Tensor& first, const Tensor& second);

 private:
  FlowSettings settings_;
  int threads_;
  std::optional<Tvl1> tvl1_;
  Tensor flow_;  // f32 [2, h, w]
};

}  // namespace actio::motion
