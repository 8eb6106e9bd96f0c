#include "runtime/onednn_compat.h"

#include <omp.h>

#include <functional>
#include <numeric>

namespace actio::runtime {
namespace {

using dnnl::algorithm;
using dnnl::prop_kind;

void append_activation(dnnl::post_ops& chain, Activation activation) {
  if (activation == Activation::kNone) return;
  const algorithm kind = activation == Activation::kRelu ? algorithm::eltwise_relu : algorithm::eltwise_clip;
  const float high = activation == Activation::kRelu ? 0.0F : 6.0F;
#if DNNL_VERSION_MAJOR >= 3
  chain.append_eltwise(kind, 0.0F, high);
#else
  chain.append_eltwise(1.0F, kind, 0.0F, high);
#endif
}

dnnl::primitive_attr attributes(const PostOps& post_ops) {
  dnnl::post_ops chain;
  if (post_ops.added) chain.append_binary(algorithm::binary_add, *post_ops.added);
#if DNNL_VERSION_MAJOR >= 3
  if (post_ops.added_in_place) chain.append_sum(post_ops.added_factor, 0, post_ops.added_type);
#else
  if (post_ops.added_in_place) chain.append_sum(post_ops.added_factor, post_ops.added_type);
#endif
  append_activation(chain, post_ops.activation);
  dnnl::primitive_attr attr;
  attr.set_post_ops(chain);
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

// Which argument hands over the factors, or 0 where they are set here.
int set_factors(dnnl::primitive_attr& attr, const ConvolutionDesc& desc) {
  if (desc.factors.empty()) return 0;
#if DNNL_VERSION_MAJOR >= 3
  const bool grouped = desc.weights.get_ndims() > desc.src.get_ndims();
  attr.set_scales_mask(DNNL_ARG_WEIGHTS, grouped ? 3 : 1);
  return DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS;
#else
  attr.set_output_scales(1 << 1, desc.factors);
  return 0;
#endif
}

bool is_naive(const dnnl::primitive_desc_base& pd) {
  std::string name;
  name = pd.impl_info_str();
  return name.starts_with("ref");
}

template <typename PrimitiveDesc>
Made made_from(const dnnl::primitive& primitive, const PrimitiveDesc& pd) {
  return {primitive,
          pd.query_md(dnnl::query::src_md, 0),
          pd.query_md(dnnl::query::weights_md, 0),
          pd.query_md(dnnl::query::weights_md, 1),
          pd.query_md(dnnl::query::dst_md, 0),
          pd.query_md(dnnl::query::scratchpad_md, 0),
          is_naive(pd),
          0};
}

}  // namespace

Made make_convolution(const dnnl::engine& engine, const ConvolutionDesc& desc, const PostOps& post_ops) {
  dnnl::primitive_attr attr = attributes(post_ops);
  const int factors_role = set_factors(attr, desc);
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::convolution_forward::primitive_desc pd(engine, prop_kind::forward_inference, algorithm::convolution_direct,
                                                     desc.src, desc.weights, desc.bias, desc.dst, desc.strides,
                                                     desc.dilations, desc.before, desc.after, attr);
#else
  const dnnl::convolution_forward::desc d(prop_kind::forward_inference, algorithm::convolution_direct, desc.src,
                                          desc.weights, desc.bias, desc.dst, desc.strides, desc.dilations, desc.before,
                                          desc.after);
  const dnnl::convolution_forward::primitive_desc pd(d, attr, engine);
#endif
  Made made = made_from(dnnl::convolution_forward(pd), pd);
  made.factors_role = factors_role;
  return made;
}

Made make_inner_product(const dnnl::engine& engine, const ConvolutionDesc& desc, const PostOps& post_ops) {
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::inner_product_forward::primitive_desc pd(engine, prop_kind::forward_inference, desc.src, desc.weights,
                                                       desc.bias, desc.dst, attributes(post_ops));
#else
  const dnnl::inner_product_forward::desc d(prop_kind::forward_inference, desc.src, desc.weights, desc.bias, desc.dst);
  const dnnl::inner_product_forward::primitive_desc pd(d, attributes(post_ops), engine);
#endif
  return made_from(dnnl::inner_product_forward(pd), pd);
}

Made make_pooling(const dnnl::engine& engine, const PoolingDesc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  using Pooling = dnnl::pooling_forward;
  const Pooling::primitive_desc pd(engine, prop_kind::forward_inference, desc.algorithm, desc.src, desc.dst, desc.strides,
                                   desc.kernel, desc.dilations, desc.before, desc.after, attributes({}));
#else
  using Pooling = dnnl::pooling_v2_forward;
  const Pooling::desc d(prop_kind::forward_inference, desc.algorithm, desc.src, desc.dst, desc.strides, desc.kernel,
                        desc.dilations, desc.before, desc.after);
  const Pooling::primitive_desc pd(d, attributes({}), engine);
#endif
  return made_from(Pooling(pd), pd);
}

Made make_binary(const dnnl::engine& engine, algorithm kind, const std::vector<Desc>& srcs, const PostOps& post_ops) {
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::binary::primitive_desc pd(engine, kind, srcs[0], srcs[1], srcs[0], attributes(post_ops));
#else
  const dnnl::binary::primitive_desc pd(dnnl::binary::desc(kind, srcs[0], srcs[1], srcs[0]), attributes(post_ops), engine);
#endif
  return made_from(dnnl::binary(pd), pd);
}

Made make_activation(const dnnl::engine& engine, Activation activation, const Desc& desc) {
  const algorithm kind = activation == Activation::kRelu ? algorithm::eltwise_relu : algorithm::eltwise_clip;
  const float high = activation == Activation::kRelu ? 0.0F : 6.0F;
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::eltwise_forward::primitive_desc pd(engine, prop_kind::forward_inference, kind, desc, desc, 0.0F, high,
                                                 attributes({}));
#else
  const dnnl::eltwise_forward::desc d(prop_kind::forward_inference, kind, desc, 0.0F, high);
  const dnnl::eltwise_forward::primitive_desc pd(d, attributes({}), engine);
#endif
  return made_from(dnnl::eltwise_forward(pd), pd);
}

Made make_concat(const dnnl::engine& engine, int axis, const std::vector<Desc>& srcs) {
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::concat::primitive_desc pd(engine, axis, srcs, attributes({}));
#else
  const dnnl::concat::primitive_desc pd(axis, srcs, engine, attributes({}));
#endif
  return made_from(dnnl::concat(pd), pd);
}

Made make_sum(const dnnl::engine& engine, const std::vector<float>& scales, const std::vector<Desc>& srcs) {
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::sum::primitive_desc pd(engine, scales, srcs, attributes({}));
#else
  const dnnl::sum::primitive_desc pd(scales, srcs, engine, attributes({}));
#endif
  return made_from(dnnl::sum(pd), pd);
}

Made make_softmax(const dnnl::engine& engine, const Desc& desc, int axis) {
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::softmax_forward::primitive_desc pd(engine, prop_kind::forward_inference, algorithm::softmax_accurate, desc,
                                                 desc, axis, attributes({}));
#else
  const dnnl::softmax_forward::primitive_desc pd({prop_kind::forward_inference, desc, axis}, attributes({}), engine);
#endif
  return made_from(dnnl::softmax_forward(pd), pd);
}

Made make_reorder(const dnnl::engine& engine, const Desc& from, const Desc& to, float factor) {
  dnnl::primitive_attr attr = attributes({});
  int factors_role = 0;
  if (factor != 1) {
#if DNNL_VERSION_MAJOR >= 3
    attr.set_scales_mask(DNNL_ARG_SRC, 0);
    factors_role = DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC;
#else
    attr.set_output_scales(0, {factor});
#endif
  }
  const dnnl::reorder::primitive_desc pd(engine, from, engine, to, attr);
  Made made = made_from(dnnl::reorder(pd), pd);
  made.factors_role = factors_role;
  return made;
}

Desc any_desc(const Dims& dims, DataType type) { return {dims, type, dnnl::memory::format_tag::any}; }

Desc plain_desc(const Dims& dims, DataType type) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return {dims, type, strides};
}

Desc channels_last_desc(const Dims& dims, DataType type) {
  return {dims, type, Dims{dims[1] * dims[2] * dims[3], 1, dims[1] * dims[3], dims[1]}};
}

Desc retyped(const Desc& desc, DataType type) {
#if DNNL_VERSION_MAJOR >= 3
  if (desc.get_inner_nblks() > 0) return plain_desc(desc.get_dims(), type);
  return {desc.get_dims(), type, desc.get_strides()};
#else
  Desc other = desc;
  other.data.data_type = dnnl::memory::convert_to_c(type);
  return other;
#endif
}

DataType type_of(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return desc.get_data_type();
#else
  return desc.data_type();
#endif
}

std::int64_t elements_of(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  const Dims dims = desc.get_dims();
#else
  const Dims dims = desc.dims();
#endif
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

DataType type_of(Precision precision) { return precision == Precision::kBf16 ? DataType::bf16 : DataType::f32; }

bool is_int8(const Desc& desc) { return type_of(desc) == DataType::u8 || type_of(desc) == DataType::s8; }

float unit_of_bias([[maybe_unused]] float product, [[maybe_unused]] float out) {
#if DNNL_VERSION_MAJOR >= 3
  return out;
#else
  return product;
#endif
}

QuickTypes quick_types() {
#ifdef __x86_64__
  using dnnl::cpu_isa;
  const cpu_isa isa = dnnl::get_effective_cpu_isa();
  bool bf16 = isa == cpu_isa::avx512_core_bf16 || isa == cpu_isa::avx512_core_amx;
  bool dot8 = isa == cpu_isa::avx512_core_vnni || isa == cpu_isa::avx2_vnni;
#if DNNL_VERSION_MAJOR >= 3
  bf16 = bf16 || isa == cpu_isa::avx512_core_fp16 || isa == cpu_isa::avx512_core_amx_fp16;
  dot8 = dot8 || isa == cpu_isa::avx2_vnni_2;
#endif
  // Intel's vectors of bfloat16 are half as fast as those of f32 (measured: 0.6 of a network's speed without AMX); AMX's tiles and AMD's vectors are not.
  const bool tiles = isa == cpu_isa::avx512_core_amx;
  const int width = isa == cpu_isa::sse41 ? 0 : isa == cpu_isa::avx || isa == cpu_isa::avx2 || isa == cpu_isa::avx2_vnni ? 256 : 512;
  return {.width = width, .bf16 = bf16, .fast_bf16 = bf16 && (tiles || __builtin_cpu_is("amd") != 0), .dot8 = dot8 || bf16};
#else
  return {};
#endif
}

std::string kind_text(const dnnl::primitive& primitive) {
  using Kind = dnnl::primitive::kind;
  switch (primitive.get_kind()) {
    case Kind::convolution: return "convolution";
    case Kind::inner_product: return "linear";
    case Kind::reorder: return "reorder";
    case Kind::binary: return "binary";
    case Kind::eltwise: return "activation";
    case Kind::concat: return "concat";
    case Kind::sum: return "sum";
    default: return "pooling and others";
  }
}

bool has_padding(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return desc.get_dims() != desc.get_padded_dims();
#else
  return !std::equal(desc.data.dims, desc.data.dims + desc.data.ndims, desc.data.padded_dims);
#endif
}

ThreadScope::ThreadScope(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
ThreadScope::~ThreadScope() { omp_set_num_threads(before_); }

}  // namespace actio::runtime
