// actio: the inputs of a network: what a snippet of a video becomes. The list travels in the model file; training, evaluation,
// recognition and streams all read it, so that they cannot differ.
#pragma once

#include <actio/export.h>
#include <actio/tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actio {

enum class InputKind {
  kFrame,          // "frame"
  kRgbDifference,  // "rgbdiff", between a frame and the one before
  kFlow,           // "flow", TV-L1
  kVectors,        // "mv", the codec's motion vectors, or estimated ones in their place
};

enum class Resize { kCrop, kStretch };                // the short side, then a crop; the whole frame to the input size
enum class MotionWindow { kStarting, kCentred };      // neighbours that start at the sampled frame (TSN, IF-TTN) or are centred on it (STFN)
enum class KeyFrames { kCarry, kZero };               // motion vectors of key frames: those of the field before, or zero

enum class VectorSource { kCodec, kEstimated, kAny };  // the codec's; those of a block search; the codec's where it has some, else those

// Frames, and differences between frames, have colours; flow and vectors have a horizontal and a vertical part.
constexpr bool has_colours(InputKind kind) { return kind == InputKind::kFrame || kind == InputKind::kRgbDifference; }

// Where frames are cut.
struct Framing {
  std::int64_t size = 224;        // pixels, side of a crop of the frame scaled to `short_side`
  std::int64_t short_side = 256;  // pixels
  Resize resize = Resize::kCrop;

  bool operator==(const Framing&) const = default;
};

struct ACTIO_API InputSpec {
  std::string name;                               // of the network's input
  InputKind kind = InputKind::kFrame;
  std::int64_t length = 1;                        // frames, differences or fields in a snippet (L)
  std::int64_t size = 224;                        // pixels, height and width
  std::vector<double> mean, std;                  // (level - mean) / std, of levels 0..255: red, green and blue, or the 8-bit motion image
  MotionWindow window = MotionWindow::kStarting;  // which neighbours of the sampled frame make a snippet
  double bound = 20.0;                            // flow, vectors: pixels at a short side of 256; larger displacements are clipped
  KeyFrames key_frames = KeyFrames::kCarry;       // vectors of the codec
  VectorSource vectors = VectorSource::kAny;      // vectors
  std::string flow_quality = "paper";             // flow: "paper", "fast", "realtime"
  std::int64_t flow_short_side = 256;             // flow: pixels, of the pictures that it is computed on; 0: as in the video

  // With the means and deviations that actio's networks use. Shape: row().
  static InputSpec of(std::string name, InputKind kind, std::int64_t size = 224, std::int64_t length = 1);

  std::int64_t planes() const { return has_colours(kind) ? 3 : 2; }  // of one frame, difference or field
  Shape row() const { return {planes() * length, size, size}; }      // of a snippet: R0, G0, B0, R1, ... or x0, y0, x1, ...

  bool operator==(const InputSpec&) const = default;
};

struct ACTIO_API Inputs {
  Framing framing;
  std::vector<InputSpec> list;

  const InputSpec* find(std::string_view name) const;  // null where there is none
  const InputSpec* find(InputKind kind) const;         // the first of that kind
  bool has(InputKind kind) const { return find(kind) != nullptr; }
  bool moves() const;  // whether any of them shows motion
  std::vector<std::string> names() const;

  bool operator==(const Inputs&) const = default;
};

}  // namespace actio
