#include "data/snippet.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "core/error.h"
#include "data/sampling.h"
#include "data/transform.h"
#include "motion/vector_field.h"

namespace actio::data {

SnippetAssembler::SnippetAssembler(const SnippetPlan& plan, const Preprocess& preprocess, CropFn crop)
    : preprocess_(preprocess), crop_(std::move(crop)), segments_(static_cast<std::int64_t>(plan.sampled.size())) {
  const std::int64_t size = preprocess_.input_size;
  if (plan.rgb) {
    rgb_ = Tensor({segments_, 3, size, size});
    for (std::int64_t k = 0; k < segments_; ++k) rgb_slots_.emplace(plan.sampled[static_cast<std::size_t>(k)], k);
  }
  if (plan.motion && preprocess_.motion != Motion::kNone) plan_motion(plan);
  missing_ = static_cast<std::int64_t>(rgb_slots_.size() + motion_slots_.size());
}

void SnippetAssembler::plan_motion(const SnippetPlan& plan) {
  const std::int64_t length = preprocess_.motion_length, size = preprocess_.input_size;
  motion_ = Tensor({segments_ * length, is_difference() ? 3 : 2, size, size});
  for (std::int64_t k = 0; k < segments_; ++k) {
    const auto fields =
        motion_window(plan.sampled[static_cast<std::size_t>(k)], plan.frames, length, preprocess_.motion_window);
    for (std::int64_t l = 0; l < length; ++l) motion_slots_.emplace(fields[static_cast<std::size_t>(l)], k * length + l);
  }
}

void SnippetAssembler::push(const video::Frame& frame, const Tensor& field, const Tensor& rgb) {
  const std::int64_t index = frame.index;
  if (needs_rgb(index)) fill_rgb(frame, rgb.defined() ? rgb : frame.rgb());
  if (!needs_field(index)) return;
  if (is_flow()) push_flow(index, field, frame.width, frame.height);
  else fill_vectors(frame, field);
}

std::int64_t SnippetAssembler::last_frame() const {
  const std::int64_t rgb = rgb_slots_.empty() ? -1 : rgb_slots_.rbegin()->first;
  return motion_slots_.empty() ? rgb : std::max(rgb, motion_slots_.rbegin()->first);
}

bool SnippetAssembler::needs_rgb(std::int64_t index) const {
  const bool differs = is_difference() && (motion_slots_.contains(index) || motion_slots_.contains(index + 1));
  return differs || rgb_slots_.contains(index);
}

bool SnippetAssembler::needs_field(std::int64_t index) const { return !is_difference() && motion_slots_.contains(index); }

std::vector<std::int64_t> SnippetAssembler::missing_fields() const {
  std::vector<std::int64_t> fields;
  if (is_difference()) return fields;
  for (auto slot = motion_slots_.begin(); slot != motion_slots_.end(); slot = motion_slots_.upper_bound(slot->first)) {
    fields.push_back(slot->first);
  }
  return fields;
}

std::vector<std::int64_t> SnippetAssembler::needed_frames() const {
  std::set<std::int64_t> frames;
  for (const auto& [index, row] : rgb_slots_) frames.insert(index);
  for (const auto& [index, row] : motion_slots_) {
    frames.insert(index);
    // Differences and flow look at the frame before, too.
    if ((is_difference() || is_flow()) && index > 0) frames.insert(index - 1);
  }
  return {frames.begin(), frames.end()};
}

void SnippetAssembler::fill_rgb(const video::Frame& frame, const Tensor& rgb) {
  const std::int64_t size = preprocess_.input_size;
  std::swap(planes_, previous_);
  const std::int64_t previous_index = std::exchange(planes_index_, frame.index);
  if (!planes_.defined()) planes_ = Tensor({3, size, size});
  transform_rgb(rgb, crop_(frame.width, frame.height), preprocess_, planes_.values<float>());
  if (rgb_.defined()) fill_slots(rgb_slots_, frame.index, planes_, rgb_);
  if (!is_difference() || !motion_slots_.contains(frame.index)) return;
  if (!scratch_.defined()) scratch_ = Tensor({3, size, size});
  // Field 0, before the first frame, is no motion: the scratch is still zero then.
  if (frame.index > 0) {
    if (previous_index != frame.index - 1) fail_internal("snippet: frame {} follows {}", frame.index, previous_index);
    const auto now = std::as_const(planes_).values<float>(), before = std::as_const(previous_).values<float>();
    std::ranges::transform(now, before, scratch_.data<float>(), std::minus<>());
  }
  fill_slots(motion_slots_, frame.index, scratch_, motion_);
}

void SnippetAssembler::fill_vectors(const video::Frame& frame, const Tensor& field) {
  const std::int64_t size = preprocess_.input_size;
  if (!scratch_.defined()) scratch_ = Tensor({2, size, size});
  const FieldGeometry geometry{frame.width, frame.height, motion::kCellPixels};
  // Nothing comes before the first frame, so it has not moved.
  transform_field(frame.index > 0 ? field : Tensor(field.shape()), geometry, crop_(frame.width, frame.height), preprocess_,
                  scratch_.values<float>());
  fill_slots(motion_slots_, frame.index, scratch_, motion_);
}

void SnippetAssembler::push_flow(std::int64_t index, const Tensor& image, int width, int height) {
  const std::int64_t size = preprocess_.input_size;
  if (!scratch_.defined()) scratch_ = Tensor({2, size, size});
  transform_motion_image(image, width, height, crop_(width, height), preprocess_, scratch_.values<float>());
  fill_slots(motion_slots_, index, scratch_, motion_);
}

void SnippetAssembler::fill_slots(Slots& slots, std::int64_t index, const Tensor& planes, Tensor& out) {
  const auto values = planes.values<float>();
  const auto [begin, end] = slots.equal_range(index);
  for (auto slot = begin; slot != end; ++slot) {
    std::ranges::copy(values, out.data<float>() + slot->second * planes.numel());
    --missing_;
  }
  slots.erase(begin, end);
}

TensorMap SnippetAssembler::take() {
  if (!complete()) fail_internal("snippet: {} of its parts have not been seen", missing_);
  TensorMap inputs;
  if (rgb_.defined()) inputs.emplace("rgb", std::move(rgb_));
  if (motion_.defined()) {
    const std::int64_t size = preprocess_.input_size;
    inputs.emplace("motion", motion_.reshaped({segments_, motion_.numel() / (segments_ * size * size), size, size}));
  }
  return inputs;
}

}  // namespace actio::data
