// What a session allocates: its values once, and nothing when it runs again.
#include <gtest/gtest.h>

#include <functional>
#include <new>

#include "allocation_count.h"
#include "fixture.h"
#include "net/initialise.h"
#include "nets.h"
#include "runtime/compiled_network.h"
#include "runtime/ranges_on.h"
#include "small_zoo.h"
#include "support/zoo_variants.h"

namespace actio::testing {
namespace {

using runtime::CompiledNetwork;

struct Subject {
  std::string name;
  net::NetSpec spec;
};

std::vector<Subject> subjects() {
  std::vector<Subject> all = {{"small tsn", small_tsn(3)}, {"small if_ttn", small_if_ttn(3)}, {"small stfn", small_stfn(3)}};
  for (const ZooVariant& variant : ZooVariants::all()) {
    if (variant.name.ends_with("on resnet50") || variant.name.ends_with("on mobilenet_v2") ||
        variant.name.ends_with("on inception_v3"))
      all.push_back({variant.name, variant.spec()});
  }
  return all;
}

std::shared_ptr<const CompiledNetwork> compiled(const net::NetSpec& spec, std::span<const std::string> keep = {}) {
  TensorMap weights;
  net::initialise(spec, nullptr, 7, weights);
  return CompiledNetwork::compile(spec, std::move(weights), {"onednn", 1}, keep);
}

AllocationCount allocations_of(const std::function<void()>& work) {
  const AllocationScope scope;
  work();
  return scope.count();
}

// Small bookkeeping of each execution is oneDNN's own affair; memory for values would not be.
constexpr std::size_t kBookkeeping = 32 << 10;  // with AVX2 alone a product of matrices copies a block

TEST(Allocations, are_counted_whoever_makes_them) {
  if (!can_count_allocations()) GTEST_SKIP() << "the sanitizer of this build replaces malloc, which is then not counted; builds without one run this test";
  void* volatile kept = nullptr;
  const auto with = [&](auto&& make, auto&& free) {
    const std::size_t own = allocations_of([&] { kept = make(); }).own;
    free(kept);
    return own;
  };
  EXPECT_EQ(with([] { return std::malloc(100); }, [](void* p) { std::free(p); }), 1U);
  EXPECT_EQ(with([] { return ::operator new(100); }, [](void* p) { ::operator delete(p); }), 1U);
  EXPECT_EQ(with([] { return ::operator new[](100, std::align_val_t{64}); },
                 [](void* p) { ::operator delete[](p, std::align_val_t{64}); }),
            1U);
  EXPECT_EQ(allocations_of([] {}).own, 0U);
}

TEST(Allocations, a_second_run_makes_none) {
  if (!can_count_allocations()) GTEST_SKIP() << "the sanitizer of this build replaces malloc, which is then not counted; builds without one run this test";
  for (const Subject& subject : subjects()) {
    const auto session = compiled(subject.spec)->session();
    const std::int64_t segments = subject.spec.segments;
    for (const std::int64_t clips : {1, 6}) {
      const TensorMap inputs = random_clips(subject.spec, clips);
      TensorMap results, snippets, pairs, clip, earlier, later, window, window_pairs;
      const auto run = [&] { session->run(inputs, results); };
      const auto run_snippets = [&] { session->run_snippets(inputs, snippets); };
      const auto run_pairs = [&] { session->run_pairs(earlier, later, pairs); };
      const auto run_clip = [&] { session->run_clip(window, window_pairs, clip); };
      run(), run_snippets();
      for (const auto& [name, tensor] : snippets) {
        earlier[name] = tensor.rows(0, segments - 1);
        later[name] = tensor.rows(1, segments - 1);
        window[name] = tensor.rows(0, segments);
      }
      run_pairs();
      for (const auto& [name, tensor] : pairs) window_pairs[name] = tensor.rows(0, segments - 1);
      run_clip();
      for (const std::function<void()>& again : {std::function<void()>(run), std::function<void()>(run_snippets),
                                                 std::function<void()>(run_pairs), std::function<void()>(run_clip)}) {
        const AllocationCount count = allocations_of(again);
        EXPECT_EQ(count.own, 0U) << subject.name << ", " << clips << " clips: " << count.own_bytes << " bytes";
        EXPECT_LE(count.onednn_largest, kBookkeeping) << subject.name << ", " << clips << " clips";
      }
    }
  }
}

TEST(Allocations, a_second_run_that_keeps_values_makes_none) {
  if (!can_count_allocations()) GTEST_SKIP() << "the sanitizer of this build replaces malloc, which is then not counted; builds without one run this test";
  const net::NetSpec spec = small_if_ttn(3);
  const std::vector<std::string> keep = {"rgb.2.bn", "rgb.dropout", "ttn.3.relu", "diff2", "rgb.consensus", "rgb"};
  const auto session = compiled(spec, keep)->session();
  const TensorMap inputs = random_clips(spec, 2);
  TensorMap results;
  session->run(inputs, results);
  EXPECT_EQ(allocations_of([&] { session->run(inputs, results); }).own, 0U);
}

TEST(Allocations, a_second_run_in_8_bits_makes_none) {
  if (!can_count_allocations()) GTEST_SKIP() << "the sanitizer of this build replaces malloc, which is then not counted; builds without one run this test";
  const net::NetSpec spec = small_network(net::NetworkKind::kTsn, net::BackboneKind::kMobilenetV2);
  TensorMap weights;
  net::initialise(spec, nullptr, 7, weights);
  const TensorMap inputs = random_clips(spec, 1);
  const net::Ranges ranges = runtime::ranges_on(spec, weights, inputs);
  const auto session = CompiledNetwork::compile(spec, weights, {"onednn", 1, runtime::Precision::kInt8}, {}, ranges)->session();
  TensorMap results;
  session->run(inputs, results);
  EXPECT_EQ(allocations_of([&] { session->run(inputs, results); }).own, 0U);
}

TEST(Allocations, a_session_takes_its_values_and_no_weights) {
  if (!can_count_allocations()) GTEST_SKIP() << "the sanitizer of this build replaces malloc, which is then not counted; builds without one run this test";
  for (const Subject& subject : subjects()) {
    const auto network = compiled(subject.spec);
    const TensorMap inputs = random_clips(subject.spec, 1);
    std::unique_ptr<net::Classifier> session;
    TensorMap results = network->session()->run(inputs);
    const AllocationCount count = allocations_of([&] {
      session = network->session();
      session->run(inputs, results);
    });
    // Handles on the memory of each step come in addition, of two steps for a node where oneDNN wants another layout.
    const auto& attributes = network->attributes();
    EXPECT_LE(count.own_bytes, attributes.session_bytes + 1024 * 8 * subject.spec.nodes.size()) << subject.name;
    EXPECT_GT(count.own_bytes, attributes.session_bytes / 2) << subject.name;
  }
}

}  // namespace
}  // namespace actio::testing
