#include "data/snippet.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/error.h"
#include "data/sampling.h"
#include "data/transform.h"
#include "motion/vector_field.h"

namespace actio::data {

void check_motion(const std::string& motion) {
  if (motion == "flow") fail_usage("motion 'flow' is not available yet; choose mv or rgbdiff");
  if (motion != "none" && motion != "mv" && motion != "rgbdiff") {
    fail_usage("{}", unknown_name_text("motion", motion, {"none", "mv", "rgbdiff"}));
  }
}

SnippetAssembler::SnippetAssembler(const SnippetPlan& plan, const Preprocess& preprocess, CropFn crop)
    : preprocess_(preprocess), crop_(std::move(crop)), segments_(static_cast<std::int64_t>(plan.sampled.size())) {
  const std::int64_t size = preprocess_.input_size;
  if (plan.rgb) {
    rgb_ = Tensor({segments_, 3, size, size});
    for (std::int64_t k = 0; k < segments_; ++k) rgb_slots_.emplace(plan.sampled[static_cast<std::size_t>(k)], k);
  }
  if (plan.motion && preprocess_.motion != "none") plan_motion(plan);
  missing_ = static_cast<std::int64_t>(rgb_slots_.size() + motion_slots_.size());
  if (!rgb_slots_.empty()) last_frame_ = rgb_slots_.rbegin()->first;
  if (!motion_slots_.empty()) last_frame_ = std::max(last_frame_, motion_slots_.rbegin()->first);
}

void SnippetAssembler::plan_motion(const SnippetPlan& plan) {
  check_motion(preprocess_.motion);
  const std::int64_t length = preprocess_.motion_length, size = preprocess_.input_size;
  motion_ = Tensor({segments_ * length, is_difference() ? 3 : 2, size, size});
  for (std::int64_t k = 0; k < segments_; ++k) {
    const auto fields =
        motion_window(plan.sampled[static_cast<std::size_t>(k)], plan.frames, length, preprocess_.motion_window);
    for (std::int64_t l = 0; l < length; ++l) motion_slots_.emplace(fields[static_cast<std::size_t>(l)], k * length + l);
  }
}

void SnippetAssembler::push(const video::Frame& frame, const Tensor& field) {
  const std::int64_t index = frame.index;
  const bool differs = is_difference() && (motion_slots_.contains(index) || motion_slots_.contains(index + 1));
  if (rgb_slots_.contains(index) || differs) fill_rgb(frame);
  if (!is_difference() && motion_slots_.contains(index)) fill_vectors(frame, field);
}

void SnippetAssembler::fill_rgb(const video::Frame& frame) {
  const std::int64_t size = preprocess_.input_size;
  std::swap(planes_, previous_);
  const std::int64_t previous_index = std::exchange(planes_index_, frame.index);
  if (!planes_.defined()) planes_ = Tensor({3, size, size});
  transform_rgb(frame.rgb(), crop_(frame.width, frame.height), preprocess_, planes_.values<float>());
  if (rgb_.defined()) fill_slots(rgb_slots_, frame.index, planes_, rgb_);
  if (!is_difference() || !motion_slots_.contains(frame.index)) return;
  if (!scratch_.defined()) scratch_ = Tensor({3, size, size});
  // Field 0, before the first frame, is no motion: the scratch is still zero then.
  if (frame.index > 0) {
    if (previous_index != frame.index - 1) fail_usage("snippet: frame {} follows {}", frame.index, previous_index);
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
  if (!complete()) fail_usage("snippet: {} of its parts have not been seen", missing_);
  TensorMap inputs;
  if (rgb_.defined()) inputs.emplace("rgb", std::move(rgb_));
  if (motion_.defined()) {
    const std::int64_t size = preprocess_.input_size;
    inputs.emplace("motion", motion_.reshaped({segments_, motion_.numel() / (segments_ * size * size), size, size}));
  }
  return inputs;
}

}  // namespace actio::data
