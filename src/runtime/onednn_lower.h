// runtime: turns merged ops into oneDNN primitives and chooses the layout of every value. In: a fused piece, weights.
// Out: a Program. Values stay in the blocked layout that a convolution chose until an op or the caller needs another one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/fuse.h"
#include "runtime/onednn_program.h"
#include "runtime/assign_types.h"
#include "runtime/quantize_values.h"
#include "runtime/weight_store.h"

namespace actio::runtime {

struct Kernel2d {
  Dims kernel, strides, dilations, before, after;  // height, width; dilation 0: dense
};

Kernel2d kernel_of(const net::Node& node);

class Lowering {
 public:
  Lowering(const Subgraph& graph, const TensorMap& weights, std::int64_t rows, const dnnl::engine& engine,
           WeightStore& store, const Numerics& numerics);

  // Throws: Error naming the node that oneDNN refuses.
  Program run();

  // What became of each op, in the order of the nodes; after run().
  std::vector<OpRecord> records() const;

 private:
  // Every value is seen as [rows, channels, height, width].
  struct Value {
    std::size_t buffer = 0;
    Desc desc;
    float scale = 1;  // of 8 bits: of one step
  };

  void lower(const FusedOp& op);
  void lower_convolution(const FusedOp& op);  // and batch norm
  bool lower_int8(const FusedOp& op);         // Returns: false where oneDNN has no quick code for it, or for a convolution whose values were not measured
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
  Value in_layout(const std::string& name, const Desc& desc, float scale = 1);  // reordered where it is not in this layout yet
  Value real_value(const std::string& name);                                    // not in 8 bits
  Dims dims_of(const Shape& row) const;
  Desc desc_of(const Port& port) const;
  bool may_overwrite(const std::string& name) const;  // nothing after the current op reads it
  std::size_t new_buffer(const Desc& desc);
  std::size_t constant(const dnnl::memory& memory);
  std::size_t constant(const std::string& key, const std::vector<float>& values);
  void add_step(const Made& made, std::vector<Argument> arguments);
  void copy(const Value& from, const Value& to);
  void define(const std::string& name, const Value& value);  // also hands it to the output ports of this name

  std::size_t weight_argument(const FusedOp& op, const Made& made, const Dims& dims);
  std::size_t bias_argument(const FusedOp& op, const Made& made);
  Dims weight_dims(const FusedOp& op) const;

  // Of the convolution that is lowered to 8 bits.
  struct Integers {
    IntType in, out;
    bool keeps_int8 = false;           // the value is of 8 bits, too
    std::vector<float> weight_scales;  // of each channel
    std::vector<float> factors() const;  // from steps of its sums to steps of its value
  };
  Integers integers_of(const FusedOp& op);
  IntType int_type(const std::string& name) const;
  std::optional<PostOps> int8_post_ops(const FusedOp& op, const Integers& ints) const;
  Made make_int8(const FusedOp& op, const Integers& ints, const PostOps& post_ops) const;
  std::size_t int8_weight(const FusedOp& op, const Integers& ints, const Desc& wanted);
  using UnitOfBias = float (*)(float product, float out);
  std::size_t int8_bias(const FusedOp& op, const Integers& ints, UnitOfBias unit, const Desc& wanted);
  bool lower_depthwise(const FusedOp& op, const Integers& ints, Activation activation);  // Returns: false where it is left to oneDNN
  Value int8_output(const FusedOp& op, const Integers& ints, const Made& made);

  const TensorMap& weights_;
  dnnl::engine engine_;
  WeightStore& store_;
  const Numerics& numerics_;
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
