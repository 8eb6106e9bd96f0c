// runtime: every row-wise op as naive loops: the arbiter that other backends are tested against, and their fallback.
// In: a node, its inputs and parameters. Out: its value.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/tensor.h"
#include "net/netspec.h"

namespace actio::runtime {

struct RowsIn {
  const float* data = nullptr;  // f32 [rows, shape...]
  Shape shape;                  // of one row
};

struct OpCall {
  const net::Node& node;
  std::int64_t rows = 0;
  std::vector<RowsIn> inputs;
  const TensorMap& weights;
  float* out = nullptr;  // f32 [rows, out_shape...]
  Shape out_shape;       // of one row
  std::int64_t threads = 1;

  const float* param(const char* suffix) const;  // the node's parameter, or nullptr where it has none of this name
};

// Throws: Error for an op that changes the number of rows.
void run_reference_op(const OpCall& call);

void reference_conv(const OpCall& call);  // conv2d and conv1d
void reference_linear(const OpCall& call);
void reference_pool(const OpCall& call);         // max_pool2d and avg_pool2d
void reference_mean(const OpCall& call);         // global_avg_pool and time_mean
void reference_batch_norm(const OpCall& call);   // with the running statistics
void reference_elementwise(const OpCall& call);  // relu, relu6, dropout, flatten, add, sub, mul, max, weighted_sum
void reference_concat(const OpCall& call);
void reference_softmax(const OpCall& call);
void reference_time_tuples(const OpCall& call);

// work(i) for every i below count, on several threads.
void run_on_threads(std::int64_t count, std::int64_t threads, const std::function<void(std::int64_t)>& work);

// The same; on one thread nothing is allocated for it.
template <typename Work>
void parallel_for(std::int64_t count, std::int64_t threads, const Work& work) {
  if (threads > 1 && count > 1) return run_on_threads(count, threads, std::cref(work));
  for (std::int64_t i = 0; i < count; ++i) work(i);
}

}  // namespace actio::runtime
