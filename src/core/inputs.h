// core: the inputs of a network: what a snippet of a video becomes. The list travels in the model file; training, evaluation,
// recognition and streams all read it, so that they cannot differ.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "core/preprocess.h"
#include "core/tensor.h"

namespace actio {

enum class InputKind { kFrame, kRgbDifference, kFlow, kVectors };
template <>
inline constexpr auto kNames<InputKind> = NameTable<InputKind, 4>{{{InputKind::kFrame, "frame"},
                                                                   {InputKind::kRgbDifference, "rgbdiff"},
                                                                   {InputKind::kFlow, "flow"},
                                                                   {InputKind::kVectors, "mv"}}};

// Frames, and differences between frames, have colours; flow and vectors have a horizontal and a vertical part.
constexpr bool has_colours(InputKind kind) { return kind == InputKind::kFrame || kind == InputKind::kRgbDifference; }

// Where frames are cut.
struct Framing {
  std::int64_t size = 224;        // pixels, side of a crop of the frame scaled to `short_side`
  std::int64_t short_side = 256;  // pixels
  Resize resize = Resize::kCrop;

  Fields fields();
  bool operator==(const Framing&) const = default;
};

struct InputSpec {
  std::string name;                    // of the network's input
  InputKind kind = InputKind::kFrame;
  std::int64_t length = 1;             // frames, differences or fields in a snippet (L)
  std::int64_t size = 224;             // pixels, height and width
  std::vector<double> mean, std;       // on the 0..255 scale: of red, green and blue, or one of the 8-bit motion image
  MotionWindow window = MotionWindow::kStarting;  // which neighbours of the sampled frame make a snippet
  double bound = 20.0;                 // flow, vectors: pixels at a short side of 256; larger displacements are clipped
  KeyFrames key_frames = KeyFrames::kCarry;   // vectors
  std::string flow_quality = "paper";         // flow
  std::int64_t flow_short_side = 256;         // flow: pixels

  std::int64_t planes() const { return has_colours(kind) ? 3 : 2; }  // of one frame, difference or field
  Shape row() const { return {planes() * length, size, size}; }      // of a snippet: R0, G0, B0, R1, ... or x0, y0, x1, ...

  // Those that an input of this kind has.
  Fields fields();
  bool operator==(const InputSpec&) const = default;
};

struct Inputs {
  Framing framing;
  std::vector<InputSpec> list;

  const InputSpec* find(std::string_view name) const;
  const InputSpec* find(InputKind kind) const;  // the first of that kind
  bool has(InputKind kind) const { return find(kind) != nullptr; }
  bool moves() const;  // whether any of them shows motion
  std::vector<std::string> names() const;
  bool operator==(const Inputs&) const = default;
};

// Throws: Error(kUsage) naming the input and both values: two of one name, a number of means or deviations that is not that of the
// planes, values out of range, or flow or vectors that are computed in two ways within one network.
void check_inputs(const Inputs& inputs);

// What the user's options make of inputs of these names: "rgb" is the frame, "motion" what preprocess.motion says, and "rgbdiff",
// "flow" and "mv" are motion of that kind. Throws: Error(kUsage) for another name, or for "motion" where it is "none".
Inputs inputs_of(const std::vector<std::string>& names, const Preprocess& preprocess);

// The options that make such inputs, as far as options can say it: what all inputs have of the first, and the kind of "motion".
Preprocess preprocess_of(const Inputs& inputs);

Json to_json(const Inputs& inputs);

// Throws: Error(kUsage) naming `where`, and as check_inputs.
Inputs inputs_from_json(const Json& json, std::string_view where);

}  // namespace actio
