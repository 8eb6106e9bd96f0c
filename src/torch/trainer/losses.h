// torch: the training objective. In: the values of a network's heads and the true classes. Out: one number to minimise.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "net/netspec.h"
#include "torch/graph/graph.h"

namespace actio::torch_train {

// The nodes that total_loss reads, and the network's output.
std::vector<std::string> loss_nodes(const net::NetSpec& spec);

struct LossOptions {
  double label_smoothing = 0;          // share of the target that all classes divide among them
  double teacher_weight = 0.5;         // share of the teacher's answers in the loss, where there are any
  double teacher_temperature = 1;      // that they were made with
  at::Tensor class_weights;            // f32 [classes]; undefined: all equal. The mean over the clips is then a weighted one
  std::set<std::string> frozen_heads;  // heads that nothing trainable leads to
};

// The heads' losses, each the mean over the clips, times the heads' weights, summed. labels: i64 [N]. `teacher`: f32 [N, classes], which add up to 1,
// or undefined; then a head's loss is (1 - w) * CE(labels) + w * T^2 * KL(teacher || softmax(scores / T)).
// Source: Hinton et al., Distilling the Knowledge in a Neural Network, 2015, section 2.
at::Tensor total_loss(const net::NetSpec& spec, const Graph::Values& values, const at::Tensor& labels,
                      const LossOptions& options = {}, const at::Tensor& teacher = {});

// Labels as i64 [N]. Throws: Error(kBadData) for a label outside of the heads' classes, naming `paths` where given, and for
// a count that differs from the values'.
at::Tensor check_labels(const net::NetSpec& spec, const Graph::Values& values, const std::vector<std::int64_t>& labels,
                        const std::vector<std::string>& paths);

}  // namespace actio::torch_train
