// torch: the training objective. In: the values of a network's heads and the true classes. Out: one number to minimise.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "net/netspec.h"
#include "torch/graph.h"

namespace actio::torch_train {

// The nodes that total_loss reads, and the network's output.
std::vector<std::string> loss_nodes(const net::NetSpec& spec);

// The heads' losses, each the mean over the clips, times the heads' weights, summed. labels: i64 [N].
at::Tensor total_loss(const net::NetSpec& spec, const Graph::Values& values, const at::Tensor& labels);

// Labels as i64 [N]. Throws: Error(kBadData) for a label outside of the heads' classes, naming `paths` where given, and for
// a count that differs from the values'.
at::Tensor check_labels(const net::NetSpec& spec, const Graph::Values& values, const std::vector<std::int64_t>& labels,
                        const std::vector<std::string>& paths);

}  // namespace actio::torch_train
