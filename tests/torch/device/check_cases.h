// What device_check compares: networks, one step of them, a training of them, and the figures that two of these are apart
// by.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../pattern_source.h"
#include "core/tensor.h"
#include "net/netspec.h"

namespace actio::testing {

// Where a network is computed, and with how many digits.
struct Setting {
  std::string device = "cpu";
  std::string precision = "f32";  // "f64" (a step on the CPU), "f32", "tf32", "bf16", "fp16"
  bool own_kernels = true;        // of a step on the CPU; off: LibTorch's
};

// Narrow networks of the zoo on rows of 64 pixels, without dropout: devices draw different numbers.
net::NetSpec check_network(const std::string& name, const std::string& backbone);

struct Step {
  double loss = 0;
  std::vector<std::string> names;
  std::vector<at::Tensor> gradients;  // f64, on the CPU
};
Step run_step(const net::NetSpec& spec, const Setting& setting);

// How far `a` is from `b`, relative to `b`. Not a number where either is not finite.
struct Distance {
  double loss = 0;
  double all = 0;    // of all gradients, as one vector
  double worst = 0;  // of one tensor, of those that are more than a thousandth of all
  std::string where;
};
Distance distance(const Step& a, const Step& b);

// Epochs of the training loop on clips with a pattern per class, and the test of what was learned. `moved`: from weights
// that are off by one rounding, up or down at random.
torch_train::Training run_training(const net::NetSpec& spec, const Setting& setting, std::uint64_t moved = 0,
                                   const std::function<void(torch_train::Training&)>& change = {});

// The largest difference of an epoch's losses and of the test's, relative to the first loss.
double losses_apart(const torch_train::Training& a, const torch_train::Training& b);
// How far the weights are apart, relative to what was learned since `first`.
double weights_apart(const TensorMap& a, const TensorMap& b, const TensorMap& first);

}  // namespace actio::testing
