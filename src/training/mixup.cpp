#include "training/mixup.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace actio::training {

double draw_mixture(double strength, Rng& rng) {
  while (true) {
    const double a = std::pow(rng.uniform(), 1 / strength);
    const double b = std::pow(rng.uniform(), 1 / strength);
    if (!(a + b > 0) || a + b > 1) continue;
    return std::max(a, b) / (a + b);
  }
}

void mix_with_next(TensorMap& inputs, std::int64_t clips, double share) {
  if (clips < 2) return;
  const auto own = static_cast<float>(share);
  const float rest = 1 - own;
  for (auto& [name, tensor] : inputs) {
    if (tensor.dim(0) % clips != 0) fail("{}: {} rows are not of {} clips", name, tensor.dim(0), clips);
    const auto before = std::as_const(tensor).values<float>();
    const std::size_t clip = before.size() / static_cast<std::size_t>(clips);
    Tensor mixed(tensor.shape());
    float* to = mixed.data<float>();
    for (std::size_t i = 0; i < before.size(); ++i) to[i] = own * before[i] + rest * before[(i + clip) % before.size()];
    tensor = std::move(mixed);
  }
}

std::vector<std::int64_t> labels_of_next(const std::vector<std::int64_t>& labels) {
  std::vector<std::int64_t> next = labels;
  std::ranges::rotate(next, next.begin() + (next.empty() ? 0 : 1));
  return next;
}

}  // namespace actio::training
