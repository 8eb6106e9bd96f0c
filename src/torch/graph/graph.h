// torch: a NetSpec as something that LibTorch can train. In: a network, its weights and a batch. Out: the values of nodes,
// with which autograd reaches the parameters.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "net/infer.h"
#include "net/netspec.h"
#include "torch/graph/fused_ops.h"
#include "torch/graph/torch_compat.h"

namespace actio::torch_train {

struct GraphOptions {
  bool bf16 = false;                  // convolutions and what follows them in bfloat16; parameters and statistics stay f32
  bool fp16 = false;                  // the same in half precision
  at::ScalarType dtype = at::kFloat;  // of parameters and inputs; kDouble for gradient checks
  at::Device device = at::kCPU;
  bool own_kernels = true;  // of fused_ops.h, where they apply; off: LibTorch's only
  bool widen_bf16 = !has_quick_bf16();  // on the CPU: bfloat16 is multiplied and added up in f32, and only the result is rounded
};

struct Pass {
  bool training = false;             // batch norms use the batch's statistics and update the running ones
  bool gradients = false;            // record what backward() needs
  at::Generator* dropout = nullptr;  // none: no dropout
  distributed::Group* sync_norm = nullptr;  // training: batch norms use the statistics of all its ranks' batches together
};

struct Parameter {
  net::ParamInfo info;
  at::Tensor tensor;  // a leaf; requires a gradient if and only if it is trainable
  bool head = false;  // of a linear layer whose result reaches a head
};

class Graph {
 public:
  using Values = std::map<std::string, at::Tensor, std::less<>>;

  // Throws: Error for a network that infer() rejects, and weights that are missing or misshapen.
  Graph(const net::NetSpec& spec, const TensorMap& weights, const GraphOptions& options = {});

  // In: f32 [N*K, ...] per input, or instead of inputs the values of snippet-granular nodes that they lead to, which are then
  // taken as they are. Out: the values of `nodes`. Throws: Error naming the input or node.
  Values run(const TensorMap& inputs, const std::vector<std::string>& nodes, const Pass& pass);

  // Keeps every batch norm on images but the first of each stream at its running statistics, scale and shift (TSN's partial BN). A
  // stream is what stands below the name of an input: its statistics are those of pictures, as its first weights expect. A TTN
  // sees differences of features, which no first weights know, so that its batch norms always learn.
  void freeze_batch_norms();

  // Keeps what stands below the prefixes ("rgb", "motion", "rgb.features") as it is: no gradient, running statistics, no
  // dropout. Throws: Error(kUsage) for a prefix of no node.
  void freeze(const std::vector<std::string>& prefixes);

  // The snippet-granular nodes from which `nodes` can be computed without anything that is frozen before them: what depends on
  // a clip's inputs but not on the training.
  std::vector<std::string> frozen_boundary(const std::vector<std::string>& nodes) const;

  // Whether a gradient reaches something trainable from there.
  bool is_trainable(const std::string& node) const;

  // The convolutions' type from now on.
  void set_precision(bool bf16, bool fp16) {
    options_.bf16 = bf16;
    options_.fp16 = fp16;
  }

  // Snippets of a clip from now on; 0: the network's. Throws: as check_train_segments.
  void set_segments(std::int64_t segments);

  std::vector<Parameter>& parameters() { return parameters_; }
  const net::NetSpec& spec() const { return spec_; }
  const GraphOptions& options() const { return options_; }

  // Copies the parameters and statistics back, under their names.
  void store(TensorMap& weights) const;

 private:
  struct Step {
    std::vector<std::size_t> inputs;     // positions of nodes
    std::vector<at::Tensor> params;      // in the order of NodeInfo::params; bias undefined where absent
    std::vector<std::size_t> last_used;  // nodes that no later step reads
    std::size_t activation = 0;          // batch norm: the relu or relu6 that is its only reader, or the sum's
    std::size_t sum = 0;                 // batch norm: the add that is its only reader and joins in; it ends in a relu, too
    bool frozen = false;                 // batch norm: running statistics; dropout: none
    bool fixed = false;                  // depends on the inputs and frozen parameters only
  };

  void load(const TensorMap& weights);
  void plan();
  void mark_heads();
  void mark_fixed();
  std::set<std::size_t> needed(const std::set<std::size_t>& wanted, const TensorMap& inputs) const;
  at::Tensor input(const TensorMap& inputs, std::size_t position, std::int64_t& clips) const;
  at::Tensor convolution(std::size_t position, const at::Tensor& x) const;
  at::Tensor normalisation(std::size_t position, const at::Tensor& x, Activation activation, const Pass& pass,
                           const at::Tensor& skip = {}) const;
  bool joins(std::size_t position, const std::set<std::size_t>& plan, const std::set<std::size_t>& wanted) const;
  at::Tensor joined(std::size_t position, const std::vector<at::Tensor>& values, const Pass& pass) const;
  at::Tensor execute(std::size_t position, const std::vector<at::Tensor>& values, const Pass& pass) const;

  net::NetSpec spec_;
  net::Inferred inferred_;
  GraphOptions options_;
  std::int64_t segments_;
  std::vector<Step> steps_;  // parallel to spec_.nodes
  std::vector<Parameter> parameters_;
};

}  // namespace actio::torch_train
