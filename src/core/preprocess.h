// core: how a video becomes the input of a network. The record travels in the model file; training, evaluation,
// recognition and streams all read it, so that they cannot differ.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace actio {

struct Preprocess {
  static constexpr std::string_view kTable = "preprocess";

  std::int64_t input_size = 224;          // pixels, height and width of the network's input
  std::int64_t short_side = 256;          // pixels, short side of the frame that crops are cut from
  std::string resize = "crop";            // "crop": short side, then a crop; "stretch": the whole frame to the input size
  std::vector<double> rgb_mean = {123.675, 116.28, 103.53};  // on the 0..255 scale
  std::vector<double> rgb_std = {58.395, 57.12, 57.375};
  std::string motion = "none";            // "none", "mv" (codec motion vectors), "rgbdiff", "flow" (TV-L1)
  std::int64_t motion_length = 5;         // stacked motion fields per snippet (L)
  std::string motion_window = "starting"; // fields start at the sampled frame (TSN, IF-TTN) or are centred on it (STFN)
  double motion_bound = 20.0;             // pixels at a short side of 256; larger displacements are clipped
  double motion_mean = 128.0;             // of the 8-bit motion image
  double motion_std = 57.0;
  std::string key_frames = "carry";       // motion vectors of key frames: "carry" the previous field over, or "zero"
  std::string flow_quality = "paper";     // of TV-L1: a name of motion/tvl1.h
  std::int64_t flow_short_side = 256;     // pixels, short side of the pictures that flow is computed on; 0: as in the video

  Fields fields();
};

// Whether motion vectors of key frames are those of the frame before. Throws: Error(kUsage) naming the nearest, for a record whose
// key_frames is neither.
bool carries_over_key_frames(const Preprocess& preprocess);

// Channels of the motion input: 2L for vectors and flow, 3L for RGB difference, 0 for none.
std::int64_t motion_channels(const std::string& motion, std::int64_t motion_length);

}  // namespace actio
