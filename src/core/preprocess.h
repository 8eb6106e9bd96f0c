// core: what a user chooses of how a video becomes the inputs of a network. In: flags and TOML. Out: the list that is kept with a
// network (core/inputs.h).
#pragma once

#include <actio/inputs.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace actio {

enum class Motion { kNone, kVectors, kRgbDifference, kFlow };
template <>
inline constexpr auto kNames<Motion> = NameTable<Motion, 4>{
    {{Motion::kNone, "none"}, {Motion::kVectors, "mv"}, {Motion::kRgbDifference, "rgbdiff"}, {Motion::kFlow, "flow"}}};

template <>
inline constexpr auto kNames<Resize> = NameTable<Resize, 2>{{{Resize::kCrop, "crop"}, {Resize::kStretch, "stretch"}}};

template <>
inline constexpr auto kNames<MotionWindow> =
    NameTable<MotionWindow, 2>{{{MotionWindow::kStarting, "starting"}, {MotionWindow::kCentred, "centred"}}};

template <>
inline constexpr auto kNames<KeyFrames> = NameTable<KeyFrames, 2>{{{KeyFrames::kCarry, "carry"}, {KeyFrames::kZero, "zero"}}};

template <>
inline constexpr auto kNames<VectorSource> = NameTable<VectorSource, 3>{
    {{VectorSource::kCodec, "codec"}, {VectorSource::kEstimated, "estimated"}, {VectorSource::kAny, "any"}}};

struct Preprocess {
  static constexpr std::string_view kTable = "preprocess";

  std::int64_t input_size = 224;          // pixels, height and width of the network's input
  std::int64_t short_side = 256;          // pixels, short side of the frame that crops are cut from
  Resize resize = Resize::kCrop;
  std::vector<double> rgb_mean = {123.675, 116.28, 103.53};  // on the 0..255 scale
  std::vector<double> rgb_std = {58.395, 57.12, 57.375};
  Motion motion = Motion::kNone;
  std::int64_t motion_length = 5;         // stacked motion fields per snippet (L)
  MotionWindow motion_window = MotionWindow::kStarting;
  double motion_bound = 20.0;             // pixels at a short side of 256; larger displacements are clipped
  double motion_mean = 128.0;             // of the 8-bit motion image
  double motion_std = 57.0;
  KeyFrames key_frames = KeyFrames::kCarry;
  VectorSource vectors = VectorSource::kAny;
  std::string flow_quality = "paper";     // of TV-L1: a name of motion/tvl1.h
  std::int64_t flow_short_side = 256;     // pixels, short side of the pictures that flow is computed on; 0: as in the video

  Fields fields();
};

}  // namespace actio
