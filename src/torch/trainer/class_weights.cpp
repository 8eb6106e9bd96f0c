#include "torch/trainer/class_weights.h"

#include <ATen/ATen.h>

#include <map>

#include "core/error.h"
#include "net/infer.h"

namespace actio::torch_train {

at::Tensor class_weights(const std::vector<data::Item>& items, const net::NetSpec& spec) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const data::Item& item : items) ++counts[item.class_index];
  std::vector<float> weights(static_cast<std::size_t>(net::infer(spec).at(spec.output).shape.at(0)));
  for (const auto& [label, count] : counts) {
    if (label < 0 || label >= static_cast<std::int64_t>(weights.size())) {
      fail_data("a clip has label {}, the network {} classes", label, weights.size());
    }
    weights[static_cast<std::size_t>(label)] =
        static_cast<float>(static_cast<double>(items.size()) / static_cast<double>(counts.size()) / static_cast<double>(count));
  }
  return at::tensor(weights);
}

}  // namespace actio::torch_train
