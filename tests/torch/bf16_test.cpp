// Convolutions in bfloat16, on processors with and without instructions for it.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "nets.h"
#include "torch/graph/graph.h"

namespace actio::torch_train {
namespace {

// What this processor can do: with its own instructions, where it has them, and without.
std::vector<bool> ways_to_multiply() {
  if (has_quick_bf16()) return {false, true};
  return {true};
}

// 1024 ones make 1024, which bfloat16 has. Added up in bfloat16 they make 256: there the next number is 258.
TEST(Bf16, convolutions_add_up_more_terms_than_bfloat16_can_count_forward_and_backward) {
  constexpr std::int64_t kTerms = 1024;
  for (const bool own_kernels : {true, false}) {
    for (const bool widen : ways_to_multiply()) {
      SCOPED_TRACE(fmt::format("own kernels {}, widen {}", own_kernels, widen));
      net::Node op{"op", net::Op::kConv2d, {}, {}};
      op.attrs.channels = 4;
      op.attrs.kernel = {1, 1};
      const net::NetSpec spec = testing::single_op_net(op, {kTerms, 1, 1});
      TensorMap weights = testing::random_weights(spec, 1);
      for (float& value : weights.at("op.weight").values<float>()) value = 1;
      Graph graph(spec, weights, {.bf16 = true, .own_kernels = own_kernels, .widen_bf16 = widen});
      Tensor ones({kTerms, kTerms, 1, 1});
      for (float& value : ones.values<float>()) value = 1;
      const at::Tensor y = graph.run({{"x0", ones}}, {"op"}, {.training = true, .gradients = true}).at("op");
      EXPECT_EQ(y.scalar_type(), at::kBFloat16);
      EXPECT_TRUE(y.to(at::kFloat).eq(kTerms).all().item<bool>()) << y.flatten()[0].item<float>();
      y.sum().backward();
      const at::Tensor gradient = graph.parameters()[0].tensor.grad();
      EXPECT_TRUE(gradient.eq(kTerms).all().item<bool>()) << gradient.flatten()[0].item<float>();
    }
  }
}

at::Tensor all_gradients(const net::NetSpec& spec, bool widen) {
  Graph graph(spec, testing::random_weights(spec, 3), {.bf16 = true, .widen_bf16 = widen});
  const Graph::Values values = graph.run(testing::random_inputs(spec, 8, 5), {spec.scores}, {.training = true, .gradients = true});
  values.at(spec.scores).to(at::kFloat).square().sum().backward();
  std::vector<at::Tensor> flat;
  for (const Parameter& parameter : graph.parameters()) {
    if (parameter.info.trainable && parameter.tensor.grad().defined()) flat.push_back(parameter.tensor.grad().flatten());
  }
  return at::cat(flat);
}

// Both round a weight's gradient once, by 2^-8 of it at most, and few of the values before it to different sides.
TEST(Bf16, gives_the_same_gradients_with_the_processor_s_instructions_and_without_but_for_rounding) {
  if (!has_quick_bf16()) GTEST_SKIP() << "this processor has no instructions for bfloat16, or ONEDNN_MAX_CPU_ISA forbids them";
  for (const testing::NamedNet& net : testing::small_nets()) {
    const at::Tensor quick = all_gradients(net.spec, false), widened = all_gradients(net.spec, true);
    EXPECT_LE((quick - widened).norm().item<double>(), 4.0 / 256 * widened.norm().item<double>()) << net.name;
  }
}

}  // namespace
}  // namespace actio::torch_train
