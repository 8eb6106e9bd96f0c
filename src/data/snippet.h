// data: the network inputs of the snippets of a clip, filled while its frames go by, so that no frame is kept. In: frames in
// display order, each with its motion field. Out: one tensor per input.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "core/preprocess.h"
#include "core/tensor.h"
#include "data/crop.h"
#include "video/frame.h"

namespace actio::data {

// The box for frames of one size; asked again when the size changes in the middle of a clip.
using CropFn = std::function<CropBox(int width, int height)>;

struct SnippetPlan {
  std::vector<std::int64_t> sampled;                               // K frames, in order; a frame may occur twice
  std::int64_t frames = std::numeric_limits<std::int64_t>::max();  // of the clip: where motion windows end
  bool rgb = true;
  bool motion = true;  // without effect where the record says motion "none"
};

// Clips, streams and servers all make their inputs here.
// Threads: one assembler belongs to one thread at a time.
class SnippetAssembler {
 public:
  SnippetAssembler(const SnippetPlan& plan, const Preprocess& preprocess, CropFn crop);

  // Takes what it needs from `frame`, whose index is one more than that of the frame before; frames that no snippet needs
  // may be left out. `field` is the motion from the previous frame, read where needs_field(frame.index) holds: for motion
  // "mv" f32 [2, h, w] in cells of 4 pixels, for "flow" u8 [2, h, w], a motion image (motion/flow_image.h). `rgb` is
  // frame.rgb() where the caller has it already.
  void push(const video::Frame& frame, const Tensor& field, const Tensor& rgb = {});

  // Takes a motion image of motion "flow" that was computed before, without its frame of width x height pixels. In any order.
  void push_flow(std::int64_t index, const Tensor& image, int width, int height);

  bool complete() const { return missing_ == 0; }
  std::int64_t last_frame() const;                     // the last one that it still needs; -1 where it is complete
  bool needs_rgb(std::int64_t index) const;            // the pixels of that frame, still
  bool needs_field(std::int64_t index) const;          // still, of motion "mv" or "flow"
  std::vector<std::int64_t> missing_fields() const;    // those it needs, in order, each once
  std::vector<std::int64_t> needed_frames() const;     // that push() has to see, in order, each once

  // "rgb" f32 [K, 3, S, S] and "motion" f32 [K, C, S, S]: x0, y0, x1, y1, ... for vectors, R0, G0, B0, ... for RGB
  // difference.
  // Throws: Error(kInternal) before it is complete.
  TensorMap take();

 private:
  using Slots = std::multimap<std::int64_t, std::int64_t>;  // frame or field index -> row of planes

  bool is_difference() const { return preprocess_.motion == Motion::kRgbDifference; }
  bool is_flow() const { return preprocess_.motion == Motion::kFlow; }
  void plan_motion(const SnippetPlan& plan);
  void fill_rgb(const video::Frame& frame, const Tensor& rgb);
  void fill_vectors(const video::Frame& frame, const Tensor& field);
  void fill_slots(Slots& slots, std::int64_t index, const Tensor& planes, Tensor& out);

  Preprocess preprocess_;
  CropFn crop_;
  std::int64_t segments_ = 0, missing_ = 0;
  Slots rgb_slots_, motion_slots_;
  Tensor rgb_;       // f32 [K, 3, S, S]
  Tensor motion_;    // f32 [K * L, 2 or 3, S, S]
  Tensor planes_;    // f32 [3, S, S] of the frame pushed last, where it was needed
  Tensor previous_;  // and of the one before
  Tensor scratch_;   // f32 [2 or 3, S, S]
  std::int64_t planes_index_ = -1;
};

}  // namespace actio::data
