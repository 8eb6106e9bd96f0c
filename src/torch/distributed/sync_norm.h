// torch/distributed: batch norm with the statistics of the batches of all ranks. In: each rank's rows. Out: what one process
// with all the rows would compute.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "torch/distributed/group.h"
#include "torch/graph/fused_ops.h"

namespace actio::torch_train::distributed {

// Per channel, over `count` values.
struct ChannelMoments {
  std::vector<double> mean, variance;  // the variance divides by count
  double count = 0;
};

// Of all ranks' values together, from what each rank has of its own; the same bits on all ranks.
ChannelMoments combine_moments(Group& group, const ChannelMoments& own);

// Adds up both over the ranks, in place.
void add_over_ranks(Group& group, std::vector<double>& first, std::vector<double>& second);

// batch_norm(x) in training mode, for any layout, type and device; settings.group is the group, and settings.activation is
// left to the caller. The gradients of weight and bias are this rank's share; the Reducer's mean makes them those of the
// whole batch.
at::Tensor sync_batch_norm(const at::Tensor& x, const NormParams& params, const NormSettings& settings);

}  // namespace actio::torch_train::distributed
