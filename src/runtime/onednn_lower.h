// runtime: turns merged ops into oneDNN primitives and chooses the layout of every value. In: a fused piece, weights.
// Out: a Program. Values stay in the blocked layout that a convolution chose until an op or the caller needs another one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/fuse.h"
#include "runtime/onednn_program.h"
#include "runtime/pages.h"
#include "runtime/assign_types.h"

namespace actio::runtime {

// Folded weights in the layouts that primitives asked for, shared by the plans of one network.
class WeightStore {
 public:
  explicit WeightStore(const dnnl::engine& engine) : engine_(engine) {}

  // The tensor `key` in layout `wanted`; `make` gives it row-major as `plain` when it is needed for the first time.
  template <typename Make>
  dnnl::memory get(const std::string& key, const Desc& plain, const Desc& wanted, Make make) {
    for (const dnnl::memory& known : known_[key]) {
      if (known.get_desc() == wanted) return known;
    }
    return known_[key].emplace_back(reordered(make(), plain, wanted));
  }

  std::size_t bytes() const { return bytes_; }

 private:
  dnnl::memory reordered(Tensor tensor, const Desc& plain, const Desc& wanted);

  dnnl::engine engine_;
  Pool pool_;
  std::size_t bytes_ = 0;
  std::map<std::string, std::vector<dnnl::memory>> known_;
};

class Lowering {
 public:
  Lowering(const Subgraph& graph, const TensorMap& weights, std::int64_t rows, const dnnl::engine& engine,
           WeightStore& store, Precision precision);

  // Throws: Error naming the node that oneDNN refuses.
  Program run();

 private:
  // Every value is seen as [rows, channels, height, width].
  struct Value {
    std::size_t buffer = 0;
    Desc desc;
  };

  void lower(const FusedOp& op);
  void lower_convolution(const FusedOp& op);  // and batch norm
  void lower_linear(const FusedOp& op);
  void lower_pool(const FusedOp& op);
  void lower_mean(const FusedOp& op);
  void lower_plain(const FusedOp& op);
  void lower_pairwise(const FusedOp& op);
  void lower_activation(const FusedOp& op);
  void lower_concat(const FusedOp& op);
  void lower_weighted_sum(const FusedOp& op);
  void lower_softmax(const FusedOp& op);
  void lower_flatten(const FusedOp& op);

  const Value& value(const std::string& name) const { return values_.at(name); }
  Value in_layout(const std::string& name, const Desc& desc);  // reordered where it is not in this layout yet
  Dims dims_of(const Shape& row) const;
  bool may_overwrite(const std::string& name) const;  // nothing after the current op reads it
  std::size_t new_buffer(const Desc& desc);
  std::size_t constant(const dnnl::memory& memory);
  void add_step(const Made& made, std::vector<Argument> arguments);
  void copy(const Value& from, const Value& to);
  void define(const std::string& name, const Value& value);  // also hands it to the output ports of this name

  std::size_t weight_argument(const FusedOp& op, const Made& made, const Dims& dims);
  std::size_t bias_argument(const FusedOp& op, const Made& made);

  const TensorMap& weights_;
  dnnl::engine engine_;
  WeightStore& store_;
  FusedGraph fused_;
  std::vector<OpType> types_;  // of its ops
  Program program_;
  std::map<std::string, Value> values_;
  std::map<std::string, std::vector<Value>> copies_;  // the same values in other layouts
  std::map<std::string, Shape> shapes_;               // of one row
  std::map<std::string, std::size_t> last_use_;       // value -> op
  std::size_t current_ = 0;                           // op
};

}  // namespace actio::runtime
