// runtime: the few calls of oneDNN that differ between its versions 2 and 3, and nothing else. In: descriptors. Out: a
// primitive with the descriptors it chose. No other file creates a primitive or a post-op.
#pragma once

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/fuse.h"
#include "runtime/assign_types.h"

namespace actio::runtime {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;
using DataType = dnnl::memory::data_type;

struct Made {
  dnnl::primitive primitive;
  Desc src, weights, bias, dst, scratchpad;  // the formats that oneDNN chose where it was given a choice
  bool naive = false;                        // one of oneDNN's reference loops
  int factors_role = 0;                      // of the argument that hands it the factors; 0: they are part of the primitive
};

// Descriptors whose format is "any" are oneDNN's choice.
struct ConvolutionDesc {
  Desc src, weights, bias, dst;            // a zero bias: none
  Dims strides, dilations, before, after;  // dilation 0: dense
  std::vector<float> factors = {};         // of 8-bit sums, one for each output channel: factor * (sum + bias); empty: none
};

struct PoolingDesc {
  dnnl::algorithm algorithm = dnnl::algorithm::pooling_max;
  Desc src, dst;
  Dims kernel, strides, dilations, before, after;
};

constexpr int kAddedTensor = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;

// What follows the op's own result in the same pass.
struct PostOps {
  std::optional<Desc> added = {};  // a tensor that is read: argument kAddedTensor
  bool added_in_place = false;  // the destination holds what is added
  float added_factor = 1;       // of what is added in place
  DataType added_type = DataType::undef;  // of what is added in place; undef: the destination's
  Activation activation = Activation::kNone;
};

// Throws: dnnl::error; its status is dnnl_unimplemented where oneDNN has no code for the case.
Made make_convolution(const dnnl::engine& engine, const ConvolutionDesc& desc, const PostOps& post_ops);
Made make_inner_product(const dnnl::engine& engine, const ConvolutionDesc& desc, const PostOps& post_ops);
Made make_pooling(const dnnl::engine& engine, const PoolingDesc& desc);
Made make_binary(const dnnl::engine& engine, dnnl::algorithm algorithm, const std::vector<Desc>& srcs,
                 const PostOps& post_ops);
Made make_activation(const dnnl::engine& engine, Activation activation, const Desc& desc);
Made make_concat(const dnnl::engine& engine, int axis, const std::vector<Desc>& srcs);
Made make_sum(const dnnl::engine& engine, const std::vector<float>& scales, const std::vector<Desc>& srcs);
Made make_softmax(const dnnl::engine& engine, const Desc& desc, int axis);
Made make_reorder(const dnnl::engine& engine, const Desc& from, const Desc& to, float factor = 1);

Desc any_desc(const Dims& dims, DataType type = DataType::f32);
Desc plain_desc(const Dims& dims, DataType type = DataType::f32);  // row-major
Desc channels_last_desc(const Dims& dims, DataType type = DataType::f32);  // four dimensions
Desc retyped(const Desc& desc, DataType type);                     // the same order of elements
DataType type_of(const Desc& desc);
std::int64_t elements_of(const Desc& desc);
DataType type_of(Precision precision);  // of values; those of 8 bits have their type from a range
bool is_int8(const Desc& desc);

// What a bias of an 8-bit convolution is divided by: version 2 adds it to the sums, whose steps are `product`; version 3 to the result, whose step is `out`.
float unit_of_bias(float product, float out);

QuickTypes quick_types();            // of this processor, as far as ONEDNN_MAX_CPU_ISA lets oneDNN use it
std::string kind_text(const dnnl::primitive& primitive);  // "convolution"
bool has_padding(const Desc& desc);  // blocks that its channels do not fill

// The number of threads that oneDNN uses, for as long as the object lives. It is a setting of the calling thread.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

}  // namespace actio::runtime
