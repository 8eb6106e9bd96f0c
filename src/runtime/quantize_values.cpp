#include "runtime/quantize_values.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace actio::runtime {
namespace {

// What this is added to and taken from is rounded to the nearest integer, as long as it is small; a loop of it becomes vector instructions.
constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23

constexpr float kLevels = 127;

// The largest sum of two neighbours' weights at one tap, without its sign. Rounding adds one at most: 255 * 128 is below 2^15.
float most_of_pairs(std::span<const float> channel, std::size_t inputs, std::size_t taps) {
  float most = 0;
  for (std::size_t i = 0; i + 1 < inputs; i += 2) {
    for (std::size_t t = 0; t < taps; ++t) most = std::max(most, std::abs(channel[i * taps + t] + channel[(i + 1) * taps + t]));
  }
  return most;
}

}  // namespace

IntType int_type_of(const net::Range& range) {
  const bool is_signed = range.low < 0;
  const float reach = is_signed ? std::max(-range.low, range.high) : range.high;
  return {is_signed, reach > 0 ? reach / (is_signed ? 127.0F : 255.0F) : 1.0F};
}

std::vector<float> weight_scales(const Tensor& weight, Sums sums) {
  const auto values = weight.values<float>();
  const auto channels = static_cast<std::size_t>(weight.dim(0)), inputs = static_cast<std::size_t>(weight.dim(1));
  const std::size_t taps = values.size() / std::max<std::size_t>(channels * inputs, 1);
  std::vector<float> scales;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto channel = values.subspan(c * inputs * taps, inputs * taps);
    float most = 0;
    for (const float value : channel) most = std::max(most, std::abs(value));
    if (sums == Sums::k16BitPairs) most = std::max(most, most_of_pairs(channel, inputs, taps));
    scales.push_back(most > 0 ? most / kLevels : 1.0F);
  }
  return scales;
}

Tensor in_steps(Tensor weight, const std::vector<float>& scales) {
  Tensor steps = weight.clone();
  const auto values = steps.values<float>();
  const std::size_t per_channel = values.size() / std::max<std::size_t>(scales.size(), 1);
  for (std::size_t c = 0; c < scales.size(); ++c) {
    const float of_step = 1.0F / scales[c];
    for (float& value : values.subspan(c * per_channel, per_channel)) value = (value * of_step + kRounder) - kRounder;
  }
  return steps;
}

void correct_bias(Tensor& bias, const Tensor& weight, const Tensor& steps, const std::vector<float>& scales, const std::vector<float>& means) {
  const auto exact = weight.values<float>(), rounded = steps.values<float>();
  const auto of_bias = bias.values<float>();
  const std::size_t channels = scales.size(), inputs = static_cast<std::size_t>(weight.dim(1));
  const std::size_t taps = exact.size() / (channels * inputs), groups = means.size() / inputs, in_group = channels / groups;
  for (std::size_t c = 0; c < channels; ++c) {
    double off = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      double error = 0;
      for (std::size_t t = 0; t < taps; ++t) {
        const std::size_t at = (c * inputs + i) * taps + t;
        error += static_cast<double>(exact[at]) - static_cast<double>(rounded[at]) * scales[c];
      }
      off += error * means[c / in_group * inputs + i];
    }
    of_bias[c] += static_cast<float>(off);
  }
}

}  // namespace actio::runtime
