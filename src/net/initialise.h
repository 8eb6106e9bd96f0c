// net: the values that a network starts from. In: a NetSpec, and optionally the weights of another network. Out: a tensor
// for every parameter of the spec.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "net/netspec.h"

namespace actio::net {

struct InitReport {
  std::vector<std::string> loaded;  // parameters that have the source's values
  std::vector<std::string> fresh;   // parameters with new values
  std::vector<std::string> replaced;  // of those, classifiers that the source has for another number of classes
  std::vector<std::string> unused;  // tensors of the source that no parameter took
};

// Fills `weights` with every parameter of the spec and nothing else. The parameter "rgb.conv1.weight" takes the source's
// "rgb.conv1.weight", else its "conv1.weight". A first convolution with other input channels than the source's three takes
// their mean for each of its channels. A classifier (a linear node with as many outputs as the network) of another shape
// than the source's is fresh, weight and bias together. `source` may be null: everything is fresh.
//
// Fixed scalars, such as the weights of a late fusion, are those of the spec and never the source's.
//
// Fresh values depend on `seed` and the parameter's name alone, so a change elsewhere in the network leaves them:
// convolutions Kaiming normal over the fan-out, as torchvision's ResNet and MobileNetV2; linear normal with deviation 0.01,
// as MobileNetV2 (TSN's 0.001 makes the first epochs at a small learning rate slow; either starts near equal scores); linear layers over
// columns, of which several follow one another, normal with the deviation of PyTorch's linear layers; biases
// 0; batch norm 1, 0, mean 0, variance 1; scalars as the spec says.
//
// Throws: Error(kBadData) naming the parameter and both shapes where any other tensor of that name has another shape, or
// naming an element that is not finite.
//
// Source: cross-modality initialisation: Wang et al., Temporal Segment Networks, section 3.2.
InitReport initialise(const NetSpec& spec, const TensorMap* source, std::uint64_t seed, TensorMap& weights);

// Throws: Error(kBadData) naming the first tensor that the source lacks or that found no place, and its shape, unless the
// report is that of a whole network: every parameter loaded but replaced classifiers and scalars, every other tensor taken.
// `source` is the file's name for the message.
void require_complete(const NetSpec& spec, const InitReport& report, const TensorMap& tensors, const std::string& source);

// Throws: Error(kBadData) naming the tensor and both shapes unless `weights` holds every parameter of the spec, as finite
// f32 of the right shape, fixed scalars with the spec's values, and nothing else. `finite`: it is known that they are finite numbers.
void check_weights(const NetSpec& spec, const TensorMap& weights, bool finite = false);

// Whether there is no NaN or infinity among them. Threads: safe.
bool all_finite(std::span<const float> values);

// Takes over `source`, which shares its elements with `weights` from then on. Throws: as check_weights.
void load_strict(const NetSpec& spec, const TensorMap& source, TensorMap& weights);

}  // namespace actio::net
