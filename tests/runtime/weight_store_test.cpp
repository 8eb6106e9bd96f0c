// Weights on their way into the backend's layouts: several at once, and each given up when it was used.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "core/error.h"
#include "fixture.h"
#include "net/infer.h"
#include "nets.h"
#include "runtime/compiled_network.h"
#include "runtime/in_parallel.h"

namespace actio::testing {
namespace {

using runtime::CompiledNetwork;
using runtime::in_parallel;

// Tensors that tell when their memory is given back.
TensorMap watched(const TensorMap& weights, std::map<std::string, std::atomic<bool>>& freed) {
  TensorMap own;
  for (const auto& [name, tensor] : weights) {
    std::atomic<bool>& gone = freed[name];
    auto memory = std::shared_ptr<std::byte[]>(new std::byte[tensor.bytes()], [&gone](std::byte* bytes) {
      gone = true;
      delete[] bytes;
    });
    std::memcpy(memory.get(), tensor.raw(), tensor.bytes());
    own.emplace(name, Tensor::wrap(tensor.shape(), tensor.dtype(), std::move(memory), tensor.bytes()));
  }
  return own;
}

TEST(CompilingANetwork, gives_up_the_weights_that_it_was_handed_and_leaves_those_that_others_hold) {
  const net::NetSpec spec = small_if_ttn(3);
  std::map<std::string, std::atomic<bool>> freed;
  TensorMap weights = watched(random_weights(net::parameters(spec), 3), freed);
  const std::string kept_name = "rgb.1.conv.weight";
  const Tensor kept = weights.at(kept_name);
  const auto network = CompiledNetwork::compile(spec, std::move(weights), {"onednn", 2});
  for (const auto& [name, gone] : freed) EXPECT_EQ(gone, name != kept_name) << name;
  EXPECT_GT(network->attributes().weight_bytes, 0U);
}

TEST(CompilingANetwork, does_not_care_where_its_weights_lie) {
  const net::NetSpec spec = small_if_ttn(3);
  const TensorMap weights = random_weights(net::parameters(spec), 3);
  std::map<std::string, std::atomic<bool>> freed;
  const auto of_copies = CompiledNetwork::compile(spec, weights, {"onednn", 2}), of_own = CompiledNetwork::compile(spec, watched(weights, freed), {"onednn", 2});
  const TensorMap clip = random_inputs(spec, 3, 5);
  const TensorMap expected = of_copies->session()->run(clip), actual = of_own->session()->run(clip);
  for (const auto& [name, tensor] : expected) EXPECT_EQ(std::memcmp(actual.at(name).raw(), tensor.raw(), tensor.bytes()), 0) << name;
}

TEST(InParallel, does_each_part_once_on_any_number_of_threads) {
  for (const int threads : {-1, 0, 1, 2, 7}) {
    for (const std::size_t parts : {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{100}}) {
      std::vector<std::atomic<int>> done(parts);
      in_parallel(threads, parts, [&](std::size_t i) { ++done[i]; });
      for (const auto& times : done) EXPECT_EQ(times, 1);
    }
  }
}

TEST(InParallel, throws_what_the_earliest_part_threw_after_all_are_done) {
  std::atomic<int> done = 0;
  const auto part = [&](std::size_t i) {
    ++done;
    if (i == 3 || i == 8) fail("part {}", i);
  };
  for (const int threads : {1, 4}) {
    done = 0;
    try {
      in_parallel(threads, 10, part);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "part 3");
    }
    EXPECT_EQ(done, 10);
  }
}

}  // namespace
}  // namespace actio::testing
