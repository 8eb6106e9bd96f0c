// A clip with exact expectations: a texture that moves by a known amount per frame, and in the top left corner the frame's
// own index in black and white blocks that survive compression.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace actio::testing {

struct SyntheticClip {
  std::string path;
  std::string codec = "libx264";
  int frames = 24;
  int width = 128, height = 96;  // at least 64 x 16
  int frames_per_second = 25;
  double dx = 0, dy = 0;  // pixels per frame, right and down
  int gop = 12;
  int b_frames = 2;
  int references = 1;
  int quality = 18;  // CRF for x264 and x265; for the MPEG codecs 2..5, for the H.263 family 8 (finer clips the corner)
  int rotation_degrees = 0;
  bool mirrored = false;
  std::vector<std::string> codec_options = {};
  std::uint64_t seed = 1;  // another texture
};

inline constexpr int kIndexWidth = 64, kIndexHeight = 16;  // pixels; this corner does not move

// Frame `index` before compression. Shape: u8 [height, width, 3].
Tensor synthetic_frame(const SyntheticClip& clip, int index);

void write_synthetic_clip(const SyntheticClip& clip);

// The index that the corner of `rgb` shows (modulo 4096), or -1 where it shows none.
std::int64_t read_index(const Tensor& rgb);

}  // namespace actio::testing
