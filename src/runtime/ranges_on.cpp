#include "runtime/ranges_on.h"

#include <algorithm>

#include "runtime/compiled_network.h"

namespace actio::runtime {

net::Range range_of(const Tensor& value) {
  const auto values = value.values<float>();
  const auto reached = std::ranges::minmax(values);
  net::Range range{std::min(reached.min, 0.0F), std::max(reached.max, 0.0F)};
  const auto rows = static_cast<std::size_t>(value.dim(0)), channels = static_cast<std::size_t>(value.shape().size() > 1 ? value.dim(1) : 1);
  const std::size_t each = values.size() / (rows * channels);
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      for (const float element : values.subspan((r * channels + c) * each, each)) sum += element;
    }
    range.means.push_back(static_cast<float>(sum / static_cast<double>(rows * each)));
  }
  return range;
}

net::Ranges ranges_on(const net::NetSpec& spec, const TensorMap& weights, const TensorMap& inputs) {
  const std::vector<std::string> names = values_to_measure(spec);
  const TensorMap values = CompiledNetwork::compile(spec, weights, {}, names)->session()->run(inputs);
  net::Ranges ranges;
  for (const std::string& name : names) ranges[name] = range_of(values.at(name));
  return ranges;
}

}  // namespace actio::runtime
