// video: one decoded picture and what the codec knew about it. In: a Decoder. Out: RGB or grey pixels and block motion
// vectors.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/tensor.h"

struct AVFrame;

namespace actio::video {

enum class FrameType { kI, kP, kB, kOther };

// The motion of one block, by the convention of docs/architecture.md.
struct BlockVector {
  std::int16_t x = 0, y = 0;           // top left corner in the picture, pixels; may lie outside of it
  std::int16_t width = 0, height = 0;  // pixels
  float dx = 0, dy = 0;                // displacement from the previous frame to this one, pixels per frame, y down
  std::int8_t direction = -1;          // the reference it was read from: -1 past, +1 future
};

// How a coded picture is shown: mirrored or not, and then turned.
struct Orientation {
  bool mirrored = false;  // left to right, before the turn
  int degrees = 0;        // clockwise: 0, 90, 180, 270

  bool swaps_sides() const { return degrees % 180 != 0; }  // width and height change places
  friend bool operator==(const Orientation&, const Orientation&) = default;
};

struct Frame {
  std::int64_t index = 0;   // display order, from 0
  std::int64_t pts = 0;     // in the stream's time base
  double time_seconds = 0;  // from the first frame
  FrameType type = FrameType::kOther;
  bool key = false;
  bool damaged = false;              // the decoder concealed something, or the packet was corrupt
  int width = 0, height = 0;         // as displayed: in its orientation
  std::vector<BlockVector> vectors;  // empty where the frame is coded without looking at others, or none were asked for
  std::int64_t unknown_blocks = 0;   // of an interlaced frame: coded with a vector, but which motion it means cannot be told

  // In the full range of 0..255. Grey pictures are widened where the stream says that their range is limited, else not.
  // Shape: u8 [height, width, 3], red first. Threads: safe on a const Frame.
  Tensor rgb() const;

  // The luma in the full range of 0..255, in the orientation of rgb().
  // Shape: u8 [height, width]. Threads: safe on a const Frame.
  Tensor grey() const;

  std::shared_ptr<const AVFrame> picture;  // Owns: the decoder's picture
  Orientation orientation;  // that rgb() and grey() bring the picture into; vectors and width/height already have it
};

}  // namespace actio::video
