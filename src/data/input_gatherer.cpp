#include "data/input_gatherer.h"

#include <algorithm>
#include <utility>

#include "data/sampling.h"

namespace actio::data {
namespace {

std::vector<std::int64_t> window_of(const InputSpec& input, std::int64_t sampled, std::int64_t frames) {
  return input.kind == InputKind::kFrame ? frame_window(sampled, frames, input.length, input.window)
                                         : motion_window(sampled, frames, input.length, input.window);
}

}  // namespace

InputGatherer::InputGatherer(const InputSpec& input, const SnippetPlan& plan)
    : input_(input),
      segments_(static_cast<std::int64_t>(plan.sampled.size())),
      values_({segments_ * input.length, input.planes(), input.size, input.size}) {
  std::int64_t place = 0;
  for (const std::int64_t sampled : plan.sampled) {
    for (const std::int64_t index : window_of(input, sampled, plan.frames)) slots_.emplace(index, place++);
  }
}

void InputGatherer::fill(std::int64_t index, const Tensor& planes) {
  const auto values = planes.values<float>();
  const auto [begin, end] = slots_.equal_range(index);
  for (auto slot = begin; slot != end; ++slot) std::ranges::copy(values, values_.data<float>() + slot->second * planes.numel());
  slots_.erase(begin, end);
}

Tensor& InputGatherer::scratch() {
  if (!scratch_.defined()) scratch_ = Tensor({input_.planes(), input_.size, input_.size});
  return scratch_;
}

Tensor InputGatherer::take() {
  Shape shape = input_.row();
  shape.insert(shape.begin(), segments_);
  return std::exchange(values_, {}).reshaped(shape);
}

}  // namespace actio::data
