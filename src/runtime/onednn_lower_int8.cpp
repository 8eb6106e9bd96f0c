#include <algorithm>

#include "core/error.h"
#include "runtime/onednn_lower.h"

namespace actio::runtime {
namespace {

DataType data_type_of(const IntType& type) { return type.is_signed ? DataType::s8 : DataType::u8; }
DepthwiseInt8::Out stored_as(DataType type) {
  return type == DataType::u8 ? DepthwiseInt8::Out::kU8 : type == DataType::s8 ? DepthwiseInt8::Out::kS8 : DepthwiseInt8::Out::kF32;
}
float unit_of_sums(float product, float) { return product; }

}  // namespace

// What a value is in 8 bits: as it is kept, or as its range says.
IntType Lowering::int_type(const std::string& name) const {
  const Value& known = value(name);
  if (is_int8(known.desc)) return {type_of(known.desc) == DataType::s8, known.scale};
  return int_type_of(numerics_.ranges.find(name)->second);
}

std::vector<float> Lowering::Integers::factors() const {
  std::vector<float> factors = weight_scales;
  for (float& factor : factors) factor *= in.scale / out.scale;
  return factors;
}

Lowering::Integers Lowering::integers_of(const FusedOp& op) {
  Integers ints;
  ints.in = int_type(op.node.inputs[0]);
  ints.keeps_int8 = types_[current_].stores_int8;
  if (ints.keeps_int8) ints.out = int_type_of(numerics_.ranges.find(op.output)->second);
  // oneDNN itself halves the weights of signed sources where pairs are summed in 16 bits.
  const bool wide = quick_types().dot8 ? !numerics_.narrow_weights : ints.in.is_signed;
  const Sums sums = wide ? Sums::k32Bits : Sums::k16BitPairs;
  ints.weight_scales = store_.numbers(op.node.name + ".scales", [&] { return runtime::weight_scales(folded_weight(op, weights_), sums); });
  return ints;
}

// Nothing where what is added has no form in 8 bits. A value of 8 bits without a sign is cut off at zero by its type, and where its range ends.
std::optional<PostOps> Lowering::int8_post_ops(const FusedOp& op, const Integers& ints) const {
  PostOps post_ops;
  post_ops.activation = ints.keeps_int8 && !ints.out.is_signed ? Activation::kNone : op.activation;
  if (ints.keeps_int8 && ints.out.is_signed && op.activation != Activation::kNone) return std::nullopt;
  if (op.residual.empty()) return post_ops;
  post_ops.added_in_place = true;
  if (!ints.keeps_int8) return post_ops;
  if (!is_int8(value(op.residual).desc) && !numerics_.ranges.contains(op.residual)) return std::nullopt;
  const IntType added = int_type(op.residual);
  post_ops.added_factor = added.scale / ints.out.scale;
  post_ops.added_type = data_type_of(added);
  return post_ops;
}

Made Lowering::make_int8(const FusedOp& op, const Integers& ints, const PostOps& post_ops) const {
  const Kernel2d k = kernel_of(op.node);
  ConvolutionDesc desc{any_desc(dims_of(shapes_.at(op.node.inputs[0])), data_type_of(ints.in)),
                       any_desc(weight_dims(op), DataType::s8),
                       has_bias(op) ? any_desc({op.shape[0]}) : Desc(),
                       any_desc(dims_of(op.shape), ints.keeps_int8 ? data_type_of(ints.out) : DataType::f32),
                       k.strides,
                       k.dilations,
                       k.before,
                       k.after};
  desc.factors = ints.factors();
  return make_convolution(engine_, desc, post_ops);
}

// Where the result goes: what is added lies there already.
Lowering::Value Lowering::int8_output(const FusedOp& op, const Integers& ints, const Made& made) {
  Value out{0, made.dst, ints.out.scale};
  if (op.residual.empty()) {
    out.buffer = new_buffer(made.dst);
    return out;
  }
  const Value& residual = value(op.residual);
  const IntType type = ints.keeps_int8 ? int_type(op.residual) : IntType{};
  const Desc wanted = ints.keeps_int8 ? retyped(made.dst, data_type_of(type)) : made.dst;
  if (residual.desc == wanted && residual.scale == type.scale && op.residual != op.node.inputs[0] && may_overwrite(op.residual)) {
    out.buffer = residual.buffer;
    return out;
  }
  out.buffer = new_buffer(made.dst);
  copy(residual, {out.buffer, wanted, type.scale});
  return out;
}

std::size_t Lowering::int8_weight(const FusedOp& op, const Integers& ints, const Desc& wanted) {
  const auto range = numerics_.ranges.find(op.node.inputs[0]);
  const bool known = range != numerics_.ranges.end() && static_cast<std::int64_t>(range->second.means.size()) == shapes_.at(op.node.inputs[0])[0];
  const auto steps = [op, scales = ints.weight_scales, means = known ? range->second.means : std::vector<float>(),
                      shifts = store_.note(op.node.name + ".shifts")](const TensorMap& weights) {
    Tensor weight = folded_weight(op, weights);
    if (!op.norm) weight = weight.clone();  // else it is a copy already
    *shifts = to_steps(weight, scales, means);
    return weight;
  };
  return constant(store_.later(op.node.name, op.node.name + ".weight in 8 bits", plain_desc(weight_dims(op)), wanted, steps));
}

// After the weight, whose rounding it corrects.
std::size_t Lowering::int8_bias(const FusedOp& op, const Integers& ints, UnitOfBias unit, const Desc& wanted) {
  const auto bias = [op, ints, unit, shifts = store_.note(op.node.name + ".shifts")](const TensorMap& weights) {
    Tensor folded = folded_bias(op, weights).clone();
    const auto values = folded.values<float>();
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (!shifts->empty()) values[c] -= (*shifts)[c];
      values[c] /= unit(ints.weight_scales[c] * ints.in.scale, ints.out.scale);
    }
    return folded;
  };
  return constant(store_.later(op.node.name, op.node.name + ".bias of 8 bits", plain_desc({op.shape[0]}), wanted, bias));
}

bool Lowering::lower_depthwise(const FusedOp& op, const Integers& ints, Activation activation) {
  const std::string& read = op.node.inputs[0];
  const QuickTypes quick = quick_types();
  if (quick.width == 0 || !is_own_depthwise(op, shapes_.at(read))) return false;
  const Kernel2d k = kernel_of(op.node);
  const Dims in = dims_of(shapes_.at(read)), out = dims_of(op.shape);
  const std::int64_t channels = in[1];
  const DataType stored = ints.keeps_int8 ? data_type_of(ints.out) : DataType::f32;
  const Desc numbers = plain_desc({channels}), made = channels_last_desc(out, stored);
  const Desc weights(weight_dims(op), DataType::s8, Dims{1, 9 * channels, 9 * channels, 3 * channels, channels});

  const Value x = in_layout(read, channels_last_desc(in, data_type_of(ints.in)), ints.in.scale);
  const Value y{new_buffer(made), made, ints.out.scale};
  Step step;
  step.node = op.node.name;
  step.depthwise = DepthwiseOp{{in[0], channels, in[2], in[3], out[2], out[3], k.strides[0], k.strides[1], k.before[0], k.before[1], ints.in.is_signed,
                                stored_as(stored), activation},
                               nullptr};
  step.arguments = {{DNNL_ARG_SRC, x.buffer, x.desc}, {DNNL_ARG_WEIGHTS, int8_weight(op, ints, weights), weights}};
  const std::size_t bias = has_bias(op) ? int8_bias(op, ints, unit_of_sums, numbers)
                                        : constant(op.node.name + ".no bias", std::vector<float>(static_cast<std::size_t>(channels)));
  step.depthwise->rows = depthwise_rows(quick.width, quick.dot8);
  step.arguments.push_back({DNNL_ARG_BIAS, bias, numbers});
  step.arguments.push_back({DNNL_ARG_WEIGHTS, constant(op.node.name + ".factors", ints.factors()), numbers});
  step.arguments.push_back({DNNL_ARG_DST, y.buffer, y.desc});
  program_.steps.push_back(std::move(step));
  define(op.output, y);
  return true;
}

bool Lowering::lower_int8(const FusedOp& op) {
  OpType& chosen = types_[current_];
  const Integers ints = integers_of(op);
  const std::optional<PostOps> post_ops = int8_post_ops(op, ints);
  if (!post_ops) {
    chosen = {Precision::kF32, "the range of what it adds was not measured", false};
    return false;
  }
  if (lower_depthwise(op, ints, post_ops->activation)) return true;
  Made made;
  try {
    made = make_int8(op, ints, *post_ops);
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented) throw;
    made.naive = true;
  }
  if (made.naive) {
    chosen = {Precision::kF32, "oneDNN has no quick code for it in 8 bits", false};
    return false;
  }
  const Value x = in_layout(op.node.inputs[0], made.src, ints.in.scale);
  const Value out = int8_output(op, ints, made);
  std::vector<Argument> arguments = {{DNNL_ARG_SRC, x.buffer, x.desc},
                                     {DNNL_ARG_WEIGHTS, int8_weight(op, ints, made.weights), made.weights},
                                     {DNNL_ARG_DST, out.buffer, out.desc}};
  if (has_bias(op)) arguments.push_back({DNNL_ARG_BIAS, int8_bias(op, ints, unit_of_bias, made.bias), made.bias});
  if (made.factors_role != 0) arguments.push_back({made.factors_role, constant(op.node.name + ".factors", ints.factors()), plain_desc({op.shape[0]})});
  add_step(made, std::move(arguments));
  define(op.output, out);
  return true;
}

}  // namespace actio::runtime
