#include "core/preprocess.h"

namespace actio {

Fields Preprocess::fields() {
  return {
      {"input_size", &input_size, "height and width of the network's input, pixels", {}, 16, 4096},
      {"short_side", &short_side, "short side of the frame that crops are cut from, pixels", {}, 16, 8192},
      choice_field("resize", &resize, "crop: scale the short side, then crop; stretch: the whole frame to the input size"),
      {"rgb_mean", &rgb_mean, "mean of red, green, blue on the 0..255 scale"},
      {"rgb_std", &rgb_std, "divisor of red, green, blue on the 0..255 scale", {}, 1e-6},
      choice_field("motion", &motion, "motion input: none, mv (motion vectors), rgbdiff or flow"),
      {"motion_length", &motion_length, "stacked motion fields per snippet", {}, 1, 64},
      choice_field("motion_window", &motion_window, "fields start at the sampled frame or are centred on it"),
      {"motion_bound", &motion_bound, "clip for displacements, pixels at a short side of 256", {}, 1e-3, 1e4},
      {"motion_mean", &motion_mean, "mean of the 8-bit motion image", {}, 0, 255},
      {"motion_std", &motion_std, "divisor of the 8-bit motion image", {}, 1e-6},
      choice_field("key_frames", &key_frames, "motion vectors of key frames: carry the previous field over, or zero"),
      choice_field("vectors", &vectors, "motion vectors: any: the codec's where it has some, else estimated from the pictures; codec or estimated alone"),
      {"flow_quality", &flow_quality, "flow: the paper's setting of TV-L1, or a faster one", {"paper", "fast", "realtime"}},
      {"flow_short_side", &flow_short_side, "flow: short side of the pictures it is computed on, pixels; 0: as in the video", {}, 0, 4096},
  };
}

}  // namespace actio
