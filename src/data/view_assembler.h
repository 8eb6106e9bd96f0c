// data: the inputs of several views of a clip, gathered in one decode. In: frames in display order. Out: the views' snippets, one
// view after the other.
#pragma once

#include <cstdint>
#include <vector>

#include "data/snippet.h"

namespace actio::data {

// As SnippetAssembler, for all views at once.
// Threads: one belongs to one thread at a time.
class ViewAssembler {
 public:
  explicit ViewAssembler(std::vector<SnippetAssembler> views) : views_(std::move(views)) {}

  void push(const video::Frame& frame, const FrameFields& fields);
  void push_flow(std::int64_t index, const Tensor& image, int width, int height);

  bool complete() const;
  std::int64_t last_frame() const;
  bool needs_field(InputKind kind, std::int64_t index) const;
  std::vector<std::int64_t> missing_flow() const;
  std::vector<std::int64_t> needed_frames() const;

  // Each input by its name, f32 [V * K, C, S, S], the views of the constructor in their order.
  TensorMap take();

 private:
  std::vector<SnippetAssembler> views_;
};

}  // namespace actio::data
