// data: the network inputs of the snippets of a clip, filled while its frames go by, so that no frame is kept. In: frames in
// display order, each with its motion fields. Out: one tensor per input.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/inputs.h"
#include "core/tensor.h"
#include "data/crop.h"
#include "data/input_gatherer.h"
#include "video/frame.h"

namespace actio::data {

// The box for frames of one size; asked again when the size changes in the middle of a clip.
using CropFn = std::function<CropBox(int width, int height)>;

// The motion from the frame before to this one, in the forms that inputs need; others may be undefined.
struct FrameFields {
  Tensor vectors;  // f32 [2, h, w] in cells of 4 pixels
  Tensor flow;     // u8 [2, h, w], a motion image (motion/flow_image.h)
};

// Clips, streams and servers all make their inputs here.
// Threads: one assembler belongs to one thread at a time.
class SnippetAssembler {
 public:
  SnippetAssembler(const SnippetPlan& plan, const std::vector<InputSpec>& inputs, CropFn crop);

  // Takes what it needs from `frame`, whose index is one more than that of the frame before; frames that no snippet needs
  // may be left out. `fields` are read where needs_field(kind, frame.index) holds. `rgb` is frame.rgb() where the caller has it already.
  void push(const video::Frame& frame, const FrameFields& fields, const Tensor& rgb = {});

  // Takes a motion image that was computed before, without its frame of width x height pixels. In any order.
  void push_flow(std::int64_t index, const Tensor& image, int width, int height);

  bool complete() const;
  std::int64_t last_frame() const;                          // the last one that it still needs; -1 where it is complete
  bool needs_rgb(std::int64_t index) const;                 // the pixels of that frame, still
  bool needs_field(InputKind kind, std::int64_t index) const;  // still, flow or vectors
  std::vector<std::int64_t> missing_flow() const;           // the fields it needs, in order, each once
  std::vector<std::int64_t> needed_frames() const;          // that push() has to see, in order, each once

  // Each input by its name, f32 [K, C, S, S].
  // Throws: Error(kInternal) before it is complete.
  TensorMap take();

 private:
  // Frames as the inputs of one size and normalisation see them.
  struct Colours {
    InputSpec like;
    Tensor now, before;  // f32 [3, S, S] of the frame pushed last, and of the one before
    std::int64_t index = -1, index_before = -1;
  };

  Colours& colours_of(const InputSpec& input);
  void fill_colours(InputGatherer& gatherer, std::int64_t index);
  void fill_vectors(const video::Frame& frame, const Tensor& field);
  void see_colours(const video::Frame& frame, const Tensor& rgb);

  CropFn crop_;
  std::vector<InputGatherer> gatherers_;
  std::vector<Colours> colours_;
};

}  // namespace actio::data
