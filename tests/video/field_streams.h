// Streams that no encoder here writes: pictures that are fields, and dual prime prediction. One picture with a texture, all
// others predicted from it with one vector for each field, so that the motion is what the vectors say.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "clip_tools.h"
#include "core/tensor.h"

namespace actio::video {

// What a field is predicted from.
struct FieldPrediction {
  bool same_parity = true;
  int frames = 1;                     // ago; 0: the earlier field of the same frame
  double motion_x = 0, motion_y = 0;  // to it, pixels of the frame
};

struct FieldStream {
  Tensor first;               // u8 [height, width, 3]
  int frames = 6;             // that follow
  bool bottom_first = false;  // in time and in the stream
  // By parity: those of the frames 1, 3, ... and of 2, 4, ...
  std::array<std::array<FieldPrediction, 2>, 2> predictions;
};

// Raw H.264 of field pictures.
void write_h264_fields(const std::string& path, const FieldStream& stream);

// Raw MPEG-2: the first picture is a frame.
void write_mpeg2_fields(const std::string& path, const FieldStream& stream, const TempDir& dir);

// Raw MPEG-2: frames of dual prime prediction; of the predictions only that of the top field from its own kind counts.
void write_mpeg2_dual_prime(const std::string& path, const FieldStream& stream, const TempDir& dir);

}  // namespace actio::video
