#include "data/view_assembler.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace actio::data {

void ViewAssembler::push(const video::Frame& frame, const FrameFields& fields) {
  // Turning a frame into RGB costs more than looking at it, so it is done once for all views.
  const bool shared = views_.size() > 1 && std::ranges::any_of(views_, [&](const auto& v) { return v.needs_rgb(frame.index); });
  const Tensor rgb = shared ? frame.rgb() : Tensor();
  for (SnippetAssembler& view : views_) view.push(frame, fields, rgb);
}

void ViewAssembler::push_flow(std::int64_t index, const Tensor& image, int width, int height) {
  for (SnippetAssembler& view : views_) view.push_flow(index, image, width, height);
}

bool ViewAssembler::complete() const {
  return std::ranges::all_of(views_, [](const auto& view) { return view.complete(); });
}

std::int64_t ViewAssembler::last_frame() const {
  std::int64_t last = -1;
  for (const SnippetAssembler& view : views_) last = std::max(last, view.last_frame());
  return last;
}

bool ViewAssembler::needs_field(InputKind kind, std::int64_t index) const {
  return std::ranges::any_of(views_, [&](const auto& view) { return view.needs_field(kind, index); });
}

std::vector<std::int64_t> ViewAssembler::missing_flow() const {
  std::set<std::int64_t> fields;
  for (const SnippetAssembler& view : views_) {
    for (const std::int64_t index : view.missing_flow()) fields.insert(index);
  }
  return {fields.begin(), fields.end()};
}

std::vector<std::int64_t> ViewAssembler::needed_frames() const {
  std::set<std::int64_t> frames;
  for (const SnippetAssembler& view : views_) {
    for (const std::int64_t index : view.needed_frames()) frames.insert(index);
  }
  return {frames.begin(), frames.end()};
}

TensorMap ViewAssembler::take() {
  TensorMap all = views_.front().take();
  if (views_.size() == 1) return all;
  const auto count = static_cast<std::int64_t>(views_.size());
  for (auto& [name, tensor] : all) {
    Shape shape = tensor.shape();
    const std::int64_t rows = shape[0];
    shape[0] *= count;
    Tensor joined(shape);
    std::memcpy(joined.raw(), tensor.raw(), tensor.bytes());
    tensor = joined.rows(0, count * rows);
  }
  for (std::size_t i = 1; i < views_.size(); ++i) {
    for (const auto& [name, tensor] : views_[i].take()) {
      Tensor target = all.at(name).rows(static_cast<std::int64_t>(i) * tensor.dim(0), tensor.dim(0));
      std::memcpy(target.raw(), tensor.raw(), tensor.bytes());
    }
  }
  return all;
}

}  // namespace actio::data
