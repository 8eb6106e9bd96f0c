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

std::span<float> InputGatherer::planes_at(std::int64_t place) {
  const std::int64_t count = input_.planes() * input_.size * input_.size;
  return values_.values<float>().subspan(static_cast<std::size_t>(place * count), static_cast<std::size_t>(count));
}

void InputGatherer::fill(std::int64_t index, const Tensor& planes) {
  make(index, [&](std::span<float> out) { std::ranges::copy(planes.values<float>(), out.begin()); });
}

Tensor InputGatherer::take() {
  Shape shape = input_.row();
  shape.insert(shape.begin(), segments_);
  return std::exchange(values_, {}).reshaped(shape);
}

}  // namespace actio::data
