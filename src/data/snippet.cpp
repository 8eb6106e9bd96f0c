#include "data/snippet.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "core/error.h"
#include "data/transform.h"
#include "motion/vector_field.h"

namespace actio::data {
namespace {

// Of an input of colours: this frame's own pixels, or as the one before a difference.
bool needs_pixels(const InputGatherer& gatherer, std::int64_t index) {
  const InputKind kind = gatherer.input().kind;
  return has_colours(kind) && (gatherer.needs(index) || (kind == InputKind::kRgbDifference && gatherer.needs(index + 1)));
}

bool is_seen_alike(const InputSpec& a, const InputSpec& b) { return a.size == b.size && a.mean == b.mean && a.std == b.std; }

}  // namespace

SnippetAssembler::SnippetAssembler(const SnippetPlan& plan, const std::vector<InputSpec>& inputs, CropFn crop) : crop_(std::move(crop)) {
  for (const InputSpec& input : inputs) {
    gatherers_.emplace_back(input, plan);
    if (has_colours(input.kind) && std::ranges::none_of(colours_, [&](const auto& c) { return is_seen_alike(c.like, input); }))
      colours_.push_back({input, {}, {}, -1, -1});
  }
}

void SnippetAssembler::push(const video::Frame& frame, const FrameFields& fields, const Tensor& rgb) {
  const std::int64_t index = frame.index;
  if (needs_rgb(index)) see_colours(frame, rgb.defined() ? rgb : frame.rgb());
  if (needs_field(InputKind::kFlow, index)) push_flow(index, fields.flow, frame.width, frame.height);
  if (needs_field(InputKind::kVectors, index)) fill_vectors(frame, fields.vectors);
}

bool SnippetAssembler::complete() const {
  return std::ranges::all_of(gatherers_, [](const auto& gatherer) { return gatherer.open().empty(); });
}

std::int64_t SnippetAssembler::last_frame() const {
  std::int64_t last = -1;
  for (const InputGatherer& gatherer : gatherers_) {
    if (!gatherer.open().empty()) last = std::max(last, gatherer.open().rbegin()->first);
  }
  return last;
}

bool SnippetAssembler::needs_rgb(std::int64_t index) const {
  return std::ranges::any_of(gatherers_, [&](const auto& gatherer) { return needs_pixels(gatherer, index); });
}

bool SnippetAssembler::needs_field(InputKind kind, std::int64_t index) const {
  return std::ranges::any_of(gatherers_, [&](const auto& gatherer) { return gatherer.input().kind == kind && gatherer.needs(index); });
}

std::vector<std::int64_t> SnippetAssembler::missing_flow() const {
  std::set<std::int64_t> fields;
  for (const InputGatherer& gatherer : gatherers_) {
    if (gatherer.input().kind != InputKind::kFlow) continue;
    for (const auto& [index, place] : gatherer.open()) fields.insert(index);
  }
  return {fields.begin(), fields.end()};
}

std::vector<std::int64_t> SnippetAssembler::needed_frames() const {
  std::set<std::int64_t> frames;
  for (const InputGatherer& gatherer : gatherers_) {
    const InputKind kind = gatherer.input().kind;
    for (const auto& [index, place] : gatherer.open()) {
      frames.insert(index);
      // Differences, flow and estimated vectors look at the frame before, too.
      const bool estimated = kind == InputKind::kVectors && gatherer.input().vectors == VectorSource::kEstimated;
      if ((kind == InputKind::kRgbDifference || kind == InputKind::kFlow || estimated) && index > 0) frames.insert(index - 1);
    }
  }
  return {frames.begin(), frames.end()};
}

SnippetAssembler::Colours& SnippetAssembler::colours_of(const InputSpec& input) {
  return *std::ranges::find_if(colours_, [&](const auto& colours) { return is_seen_alike(colours.like, input); });
}

void SnippetAssembler::see_colours(const video::Frame& frame, const Tensor& rgb) {
  for (Colours& colours : colours_) {
    const bool needed = std::ranges::any_of(gatherers_, [&](const auto& gatherer) {
      return needs_pixels(gatherer, frame.index) && is_seen_alike(gatherer.input(), colours.like);
    });
    if (!needed) continue;
    std::swap(colours.now, colours.before);
    colours.index_before = std::exchange(colours.index, frame.index);
    const std::int64_t size = colours.like.size;
    if (!colours.now.defined()) colours.now = Tensor({3, size, size});
    transform_rgb(rgb, crop_(frame.width, frame.height), colours.like, colours.now.values<float>());
  }
  for (InputGatherer& gatherer : gatherers_) {
    if (has_colours(gatherer.input().kind) && gatherer.needs(frame.index)) fill_colours(gatherer, frame.index);
  }
}

void SnippetAssembler::fill_colours(InputGatherer& gatherer, std::int64_t index) {
  const Colours& colours = colours_of(gatherer.input());
  if (gatherer.input().kind == InputKind::kFrame) {
    gatherer.fill(index, colours.now);
    return;
  }
  if (index > 0 && colours.index_before != index - 1) fail_internal("snippet: frame {} follows {}", index, colours.index_before);
  gatherer.make(index, [&](std::span<float> difference) {
    if (index == 0) return;  // before the first frame there is no motion
    const auto now = std::as_const(colours.now).values<float>(), before = std::as_const(colours.before).values<float>();
    std::ranges::transform(now, before, difference.begin(), std::minus<>());
  });
}

void SnippetAssembler::fill_vectors(const video::Frame& frame, const Tensor& field) {
  const FieldGeometry geometry{frame.width, frame.height, motion::kCellPixels};
  for (InputGatherer& gatherer : gatherers_) {
    if (gatherer.input().kind != InputKind::kVectors || !gatherer.needs(frame.index)) continue;
    // Nothing comes before the first frame, so it has not moved.
    gatherer.make(frame.index, [&](std::span<float> planes) {
      transform_field(frame.index > 0 ? field : Tensor(field.shape()), geometry, crop_(frame.width, frame.height), gatherer.input(), planes);
    });
  }
}

void SnippetAssembler::push_flow(std::int64_t index, const Tensor& image, int width, int height) {
  for (InputGatherer& gatherer : gatherers_) {
    if (gatherer.input().kind != InputKind::kFlow || !gatherer.needs(index)) continue;
    gatherer.make(index, [&](std::span<float> planes) { transform_motion_image(image, width, height, crop_(width, height), gatherer.input(), planes); });
  }
}

TensorMap SnippetAssembler::take() {
  if (!complete()) fail_internal("snippet: frame {} and those before it have not been seen", last_frame());
  TensorMap inputs;
  for (InputGatherer& gatherer : gatherers_) inputs.emplace(gatherer.input().name, gatherer.take());
  return inputs;
}

}  // namespace actio::data
