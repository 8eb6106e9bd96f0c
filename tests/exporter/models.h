// Networks with random weights, their inputs, and the measure by which another engine has to agree with the reference.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/model_file.h"
#include "net/zoo.h"

namespace actio::testing {

struct Variant {
  std::string name;               // "if_ttn adaptive from stage 2"
  net::NetworkOptions options;
};

// Every variant of a network of the zoo, small.
std::vector<Variant> variants(const std::string& network, const std::string& backbone);

// A model whose every layer shows in the scores: weights that keep the scale of what passes through, statistics and scalars
// that are not the defaults.
net::Model random_model(const net::NetworkOptions& options);
net::Model random_model(net::NetSpec spec, std::uint64_t seed);

// f32 [clips*K, ...] per input; snippets and clips differ from each other.
TensorMap random_clips(const net::NetSpec& spec, std::int64_t clips, std::uint64_t seed);

// "scores" and "probabilities" of the reference, [clips, classes].
TensorMap reference_outputs(const net::Model& model, const TensorMap& inputs);

// Succeeds where every output is finite and differs from the expected one by less than 1e-3 of the range of the expected one,
// and by less than 1e-3 of what the expected ones of two clips differ by. The second keeps the comparison from passing for an
// engine that does not look at its input.
::testing::AssertionResult outputs_agree(const TensorMap& actual, const TensorMap& expected);

// The largest difference over the range of the expected scores.
double relative_error(const Tensor& actual, const Tensor& expected);

}  // namespace actio::testing
