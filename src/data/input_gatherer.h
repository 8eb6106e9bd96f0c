// data: one input of the snippets of a view, filled while frames go by. In: the planes of single frames, differences or fields. Out: one
// tensor.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "core/inputs.h"
#include "core/tensor.h"

namespace actio::data {

struct SnippetPlan {
  std::vector<std::int64_t> sampled;                               // K frames, in order; a frame may occur twice
  std::int64_t frames = std::numeric_limits<std::int64_t>::max();  // of the clip: where windows end
};

// Threads: one belongs to one thread at a time.
class InputGatherer {
 public:
  // Where a snippet needs frame i, or the difference or field that ends there, a slot has that index.
  using Slots = std::multimap<std::int64_t, std::int64_t>;  // index -> place in the tensor

  InputGatherer(const InputSpec& input, const SnippetPlan& plan);

  const InputSpec& input() const { return input_; }
  const Slots& open() const { return slots_; }  // those that are not filled yet
  bool needs(std::int64_t index) const { return slots_.contains(index); }

  // Shape: f32 [planes, S, S] of this index.
  void fill(std::int64_t index, const Tensor& planes);

  // The same, made where they are wanted: `make` gets f32 [planes, S, S], zero at first.
  template <typename Make>
  void make(std::int64_t index, Make make) {
    const auto [begin, end] = slots_.equal_range(index);
    if (begin == end) return;
    const auto made = planes_at(begin->second);
    make(made);
    for (auto slot = std::next(begin); slot != end; ++slot) std::ranges::copy(made, planes_at(slot->second).begin());
    slots_.erase(begin, end);
  }

  // f32 [K, C, S, S], once no slot is open.
  Tensor take();

 private:
  std::span<float> planes_at(std::int64_t place);

  InputSpec input_;
  std::int64_t segments_;
  Slots slots_;
  Tensor values_;  // f32 [K * L, planes, S, S]
};

}  // namespace actio::data
