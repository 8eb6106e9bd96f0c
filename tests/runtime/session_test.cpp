// Sessions of one network: alike, independent of each other, and writing where they are told to.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <thread>

#include "core/error.h"
#include "fixture.h"
#include "net/initialise.h"
#include "nets.h"
#include "runtime/backends.h"
#include "runtime/compiled_network.h"
#include "support/compare.h"
#include "support/zoo_variants.h"

namespace actio::testing {
namespace {

using runtime::CompiledNetwork;

std::shared_ptr<const CompiledNetwork> compiled(const net::NetSpec& spec, const std::string& backend = "onednn") {
  TensorMap weights;
  net::initialise(spec, nullptr, 7, weights);
  return CompiledNetwork::compile(spec, std::move(weights), {backend, 1});
}

bool same_bytes(const TensorMap& a, const TensorMap& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.shape() == y.second.shape() &&
           std::memcmp(x.second.raw(), y.second.raw(), x.second.bytes()) == 0;
  });
}

TensorMap copy_of(const TensorMap& values) {
  TensorMap copies;
  for (const auto& [name, tensor] : values) copies[name] = tensor.clone();
  return copies;
}

// Everything that a session can be asked for, of two clips.
std::vector<TensorMap> answers_of(net::Classifier& session, const TensorMap& inputs) {
  const std::int64_t segments = session.spec().segments;
  std::vector<TensorMap> answers = {session.run(inputs), session.run_snippets(inputs)};
  TensorMap earlier, later, window, window_pairs;
  for (const auto& [name, tensor] : answers[1]) {
    earlier[name] = tensor.rows(0, segments - 1);
    later[name] = tensor.rows(1, segments - 1);
    window[name] = tensor.rows(0, segments);
  }
  answers.push_back(session.run_pairs(earlier, later));
  answers.push_back(session.run_clip(window, answers.back()));
  return answers;
}

// Each of 8 threads has its own session and its own input; all start together.
void expect_the_same_beside_each_other(const std::string& name, const net::NetSpec& spec, const std::string& backend) {
  constexpr std::size_t kSessions = 8;
  const auto network = compiled(spec, backend);
  std::vector<TensorMap> inputs;
  std::vector<std::vector<TensorMap>> alone, together(kSessions);
  for (std::size_t i = 0; i < kSessions; ++i) {
    inputs.push_back(random_inputs(spec, 2 * spec.segments, i));
    alone.push_back(answers_of(*network->session(), inputs.back()));
  }
  ASSERT_FALSE(same_bytes(alone[0][1], alone[1][1])) << name;  // the inputs do differ
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kSessions; ++i) {
      threads.emplace_back([&, i] {
        const auto session = network->session();
        for (int run = 0; run < 2; ++run) together[i] = answers_of(*session, inputs[i]);
      });
    }
  }
  for (std::size_t i = 0; i < kSessions; ++i) {
    ASSERT_EQ(together[i].size(), alone[i].size());
    for (std::size_t k = 0; k < alone[i].size(); ++k)
      EXPECT_TRUE(same_bytes(together[i][k], alone[i][k])) << name << " " << i << " " << k;
  }
}

TEST(Sessions, of_small_networks_give_the_same_bytes_beside_each_other_as_one_after_another) {
  for (const std::string& backend : runtime::backend_names()) {
    expect_the_same_beside_each_other("tsn", small_tsn(3), backend);
    expect_the_same_beside_each_other("if_ttn", small_if_ttn(3), backend);
    expect_the_same_beside_each_other("stfn", small_stfn(3), backend);
  }
}

// By the default backend alone: another one takes seconds to compile each, and has its small networks above.
TEST(Sessions, of_every_network_of_the_zoo_give_the_same_bytes_beside_each_other_as_one_after_another) {
  for (const ZooVariant& variant : ZooVariants::all()) expect_the_same_beside_each_other(variant.name, variant.spec(), runtime::default_backend());
}

TEST(Sessions, of_every_network_of_the_zoo_agree_with_the_reference) {
  for (const ZooVariant& variant : ZooVariants::all()) {
    const net::NetSpec spec = variant.spec();
    const TensorMap inputs = random_clips(spec, 1);
    const TensorMap expected = compiled(spec, "reference")->session()->run(inputs);
    for (const std::string& backend : fast_backends()) {
      const TensorMap actual = compiled(spec, backend)->session()->run(inputs);
      for (const auto& [name, tensor] : expected) EXPECT_TRUE(close(actual.at(name), tensor, 1e-4)) << backend << ", " << variant.name << ": " << name;
    }
  }
}

TEST(Sessions, many_clips_at_once_are_the_clips_one_by_one) {
  for (const net::NetSpec& spec : {small_tsn(3), small_if_ttn(3), small_stfn(3), small_tsn(1)}) {
    for (const std::int64_t threads : {1, 8, 32}) {
      TensorMap weights;
      net::initialise(spec, nullptr, 7, weights);
      const auto session = CompiledNetwork::compile(spec, weights, {"onednn", threads})->session();
      for (const std::int64_t clips : {2, 5, 23}) {
        const TensorMap inputs = random_inputs(spec, clips * spec.segments, 4), all = session->run(inputs);
        for (std::int64_t clip = 0; clip < clips; ++clip) {
          TensorMap one;
          for (const auto& [name, tensor] : inputs) one[name] = tensor.rows(clip * spec.segments, spec.segments);
          for (const auto& [name, tensor] : session->run(one)) {
            EXPECT_TRUE(close(all.at(name).rows(clip, 1), tensor, 1e-5)) << spec.name << " " << clip << " of " << clips;
          }
        }
      }
    }
  }
}

TEST(Session, outlives_the_network_that_it_came_from_and_its_weights) {
  const net::NetSpec spec = small_stfn(3);
  const TensorMap inputs = random_clips(spec, 1);
  auto network = compiled(spec);
  const auto session = network->session();
  const TensorMap expected = copy_of(network->session()->run(inputs));
  network.reset();
  EXPECT_TRUE(same_bytes(session->run(inputs), expected));
}

TEST(Session, does_not_see_weights_that_change_after_compiling) {
  const net::NetSpec spec = small_tsn(3);
  TensorMap weights;
  net::initialise(spec, nullptr, 7, weights);
  const TensorMap inputs = random_clips(spec, 1);
  const auto session = CompiledNetwork::compile(spec, weights, {"onednn", 1})->session();
  const TensorMap expected = copy_of(session->run(inputs));
  for (auto& [name, tensor] : weights) std::ranges::fill(tensor.values<float>(), 1.0F);
  EXPECT_TRUE(same_bytes(session->run(inputs), expected));
}

TEST(Session, writes_over_the_results_that_it_is_given) {
  const net::NetSpec spec = small_if_ttn(3);
  const auto session = compiled(spec)->session();
  const TensorMap one = random_inputs(spec, 3, 1), other = random_inputs(spec, 3, 2);
  TensorMap results = session->run(one);
  const std::byte* where = results.at("scores").raw();
  session->run(other, results);
  EXPECT_EQ(results.at("scores").raw(), where);
  EXPECT_TRUE(same_bytes(results, session->run(other)));
}

TEST(Session, leaves_exactly_its_results_whatever_the_map_held) {
  const net::NetSpec spec = small_if_ttn(3);
  const auto session = compiled(spec)->session();
  const TensorMap inputs = random_inputs(spec, 3, 1), more = random_inputs(spec, 6, 1);
  TensorMap results = {{"stale", Tensor({2})}, {"scores", Tensor({1, 6}, DType::kI32)}, {"output", Tensor({1, 7})}};
  session->run(inputs, results);
  EXPECT_TRUE(same_bytes(results, session->run(inputs)));
  session->run(more, results);
  EXPECT_TRUE(same_bytes(results, session->run(more)));
  session->run_snippets(inputs, results);
  EXPECT_TRUE(same_bytes(results, session->run_snippets(inputs)));
}

TEST(Session, refuses_to_write_its_results_into_its_inputs) {
  const net::NetSpec spec = small_tsn(3);
  const auto session = compiled(spec)->session();
  TensorMap values = random_inputs(spec, 3, 1);
  EXPECT_THROW(session->run(values, values), Error);
  EXPECT_THROW(session->run_snippets(values, values), Error);
  EXPECT_TRUE(values.contains("rgb"));
}

}  // namespace
}  // namespace actio::testing
