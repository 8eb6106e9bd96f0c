#include <algorithm>

#include "core/error.h"
#include "runtime/onednn_lower.h"

namespace actio::runtime {
namespace {

using net::Op;

dnnl::algorithm pairwise_algorithm(Op op) {
  switch (op) {
    case Op::kAdd: return dnnl::algorithm::binary_add;
    case Op::kSub: return dnnl::algorithm::binary_sub;
    case Op::kMul: return dnnl::algorithm::binary_mul;
    default: return dnnl::algorithm::binary_max;
  }
}

}  // namespace

Kernel2d kernel_of(const net::Node& node) {
  const net::Attrs& a = node.attrs;
  Kernel2d k{{a.kernel[0], a.kernel[1]},
             {a.stride[0], a.stride[1]},
             {a.dilation[0] - 1, a.dilation[1] - 1},
             {a.padding.top, a.padding.left},
             {a.padding.bottom, a.padding.right}};
  if (node.op == Op::kConv1d) {
    k.kernel[0] = k.strides[0] = 1;
    k.dilations[0] = k.before[0] = k.after[0] = 0;
  }
  return k;
}

Dims Lowering::weight_dims(const FusedOp& op) const {
  const Kernel2d k = kernel_of(op.node.op == Op::kBatchNorm ? net::Node{} : op.node);
  const std::int64_t channels = op.shape[0], read = dims_of(shapes_.at(op.node.inputs[0]))[1];
  const std::int64_t groups = op.node.op == Op::kBatchNorm ? channels : op.node.attrs.groups;
  Dims dims = {channels, read / groups, k.kernel[0], k.kernel[1]};
  if (groups > 1) {
    dims[0] /= groups;
    dims.insert(dims.begin(), groups);
  }
  return dims;
}

std::size_t Lowering::weight_argument(const FusedOp& op, const Made& made, const Dims& dims) {
  return constant(store_.later(op.node.name, op.node.name + ".weight", plain_desc(dims), made.weights,
                               [op](const TensorMap& weights) { return folded_weight(op, weights); }));
}

std::size_t Lowering::bias_argument(const FusedOp& op, const Made& made) {
  const Desc plain = plain_desc({op.shape[0]});
  return constant(store_.later(op.node.name, op.node.name + ".bias", plain, made.bias,
                               [op](const TensorMap& weights) { return folded_bias(op, weights); }));
}

void Lowering::lower_convolution(const FusedOp& op) {
  OpType& chosen = types_[current_];
  if (chosen.precision == Precision::kInt8 && lower_int8(op)) return;
  const Kernel2d k = kernel_of(op.node.op == Op::kBatchNorm ? net::Node{} : op.node);
  const Dims in = dims_of(shapes_.at(op.node.inputs[0])), dims = weight_dims(op);
  const auto described = [&](DataType type) {
    return ConvolutionDesc{any_desc(in, type), any_desc(dims, type), has_bias(op) ? any_desc({op.shape[0]}) : Desc(),
                           any_desc(dims_of(op.shape), type), k.strides, k.dilations, k.before, k.after};
  };
  ConvolutionDesc desc = described(type_of(chosen.precision));

  // A residual that nothing else needs is accumulated into where it lies; another one is read beside, or copied first.
  const bool has_residual = !op.residual.empty();
  const Value residual = has_residual ? real_value(op.residual) : Value{};
  const bool overwrite =
      has_residual && op.residual != op.node.inputs[0] && may_overwrite(op.residual) && residual.buffer == value(op.residual).buffer;
  PostOps post_ops{{}, overwrite, 1, DataType::undef, op.activation};
  if (has_residual && !overwrite) post_ops.added = residual.desc;
  Made made = make_convolution(engine_, desc, post_ops);
  if (made.naive && chosen.precision != Precision::kF32) {
    chosen = {Precision::kF32, "oneDNN has naive loops alone", false};
    desc = described(DataType::f32);
    made = make_convolution(engine_, desc, post_ops);
  }
  if (post_ops.added && (made.naive || made.dst != *post_ops.added)) {
    post_ops = {{}, true, 1, DataType::undef, op.activation};
    made = make_convolution(engine_, desc, post_ops);
  }

  const Value x = in_layout(op.node.inputs[0], made.src);
  Value out{0, made.dst};
  if (overwrite && made.dst == residual.desc) {
    out.buffer = residual.buffer;
  } else {
    out.buffer = new_buffer(made.dst);
    if (post_ops.added_in_place) copy(residual, out);
  }
  std::vector<Argument> arguments = {{DNNL_ARG_SRC, x.buffer, x.desc},
                                     {DNNL_ARG_WEIGHTS, weight_argument(op, made, dims), made.weights},
                                     {DNNL_ARG_DST, out.buffer, out.desc}};
  if (has_bias(op)) arguments.push_back({DNNL_ARG_BIAS, bias_argument(op, made), made.bias});
  if (post_ops.added) arguments.push_back({kAddedTensor, residual.buffer, *post_ops.added});
  add_step(made, std::move(arguments));
  define(op.output, out);
}

void Lowering::lower_linear(const FusedOp& op) {
  const Dims in = dims_of(shapes_.at(op.node.inputs[0]));
  const Dims weight_dims = {op.node.attrs.channels, in[1], 1, 1};
  ConvolutionDesc desc;
  desc.src = any_desc(in);
  desc.weights = any_desc(weight_dims);
  if (has_bias(op)) desc.bias = any_desc({op.node.attrs.channels});
  desc.dst = plain_desc({program_.rows, op.node.attrs.channels});
  const Made made = make_inner_product(engine_, desc, {.activation = op.activation});

  const Value x = in_layout(op.node.inputs[0], made.src);
  const std::size_t out = new_buffer(made.dst);
  std::vector<Argument> arguments = {{DNNL_ARG_SRC, x.buffer, x.desc},
                                     {DNNL_ARG_WEIGHTS, weight_argument(op, made, weight_dims), made.weights},
                                     {DNNL_ARG_DST, out, made.dst}};
  if (has_bias(op)) arguments.push_back({DNNL_ARG_BIAS, bias_argument(op, made), made.bias});
  add_step(made, std::move(arguments));
  define(op.output, {out, plain_desc(dims_of(op.shape))});
}

void Lowering::lower_pool(const FusedOp& op) {
  const net::Attrs& attrs = op.node.attrs;
  const bool average = op.node.op == Op::kAvgPool2d;
  Kernel2d k = kernel_of(op.node);
  const Value x = average ? real_value(op.node.inputs[0]) : value(op.node.inputs[0]);
  const Dims in = dims_of(shapes_.at(op.node.inputs[0])), out = dims_of(op.shape);
  bool extended = false;
  for (std::size_t i = 0; i < 2 && attrs.ceil_mode; ++i) {
    const std::int64_t reach = (k.kernel[i] - 1) * (k.dilations[i] + 1) + 1;
    const std::int64_t after = (out[i + 2] - 1) * k.strides[i] + reach - in[i + 2] - k.before[i];
    extended = extended || after > k.after[i] || after < 0;
    k.after[i] = after;
  }
  // oneDNN divides by the whole window where padding counts; the elements that only ceil_mode reaches must not.
  const bool dilated = k.dilations[0] > 0 || k.dilations[1] > 0;
  if (dilated || k.after[0] < 0 || k.after[1] < 0 || (average && attrs.count_padding && extended)) return lower_plain(op);
  const auto mean =
      attrs.count_padding ? dnnl::algorithm::pooling_avg_include_padding : dnnl::algorithm::pooling_avg_exclude_padding;
  const Made made = make_pooling(engine_, {average ? mean : dnnl::algorithm::pooling_max, x.desc, any_desc(out, type_of(x.desc)), k.kernel,
                                           k.strides, k.dilations, k.before, k.after});
  const Value y{new_buffer(made.dst), made.dst, x.scale};
  add_step(made, {{DNNL_ARG_SRC, x.buffer, x.desc}, {DNNL_ARG_DST, y.buffer, y.desc}});
  define(op.output, y);
}

void Lowering::lower_mean(const FusedOp& op) {
  const Value x = real_value(op.node.inputs[0]);
  const Dims in = dims_of(shapes_.at(op.node.inputs[0]));
  const Dims zero = {0, 0};
  const Made made = make_pooling(engine_, {dnnl::algorithm::pooling_avg_exclude_padding,
                                           x.desc,
                                           any_desc(dims_of(op.shape), type_of(x.desc)),
                                           {in[2], in[3]},
                                           {1, 1},
                                           zero,
                                           zero,
                                           zero});
  const Value y{new_buffer(made.dst), made.dst};
  add_step(made, {{DNNL_ARG_SRC, x.buffer, x.desc}, {DNNL_ARG_DST, y.buffer, y.desc}});
  define(op.output, y);
}

void Lowering::lower_plain(const FusedOp& op) {
  Step step;
  step.node = op.node.name;
  step.plain = PlainOp{op.node, {}};
  for (const std::string& input : op.node.inputs) {
    const Value x = in_layout(input, plain_desc(dims_of(shapes_.at(input))));
    step.arguments.push_back({DNNL_ARG_SRC, x.buffer, x.desc});
    step.plain->shapes.push_back(shapes_.at(input));
  }
  const Desc plain = plain_desc(dims_of(op.shape));
  const Value y{new_buffer(plain), plain};
  step.arguments.push_back({DNNL_ARG_DST, y.buffer, y.desc});
  step.plain->shapes.push_back(op.shape);
  program_.steps.push_back(std::move(step));
  define(op.output, y);
}

void Lowering::lower_pairwise(const FusedOp& op) {
  // The layout of the operand that a convolution wrote, where there is one.
  const Desc plain = plain_desc(dims_of(op.shape));
  Desc layout = real_value(op.node.inputs[0]).desc;
  if (layout == plain) layout = real_value(op.node.inputs[1]).desc;
  const Value a = in_layout(op.node.inputs[0], layout);
  const Value b = in_layout(op.node.inputs[1], layout);
  PostOps post_ops{.activation = op.activation};
  std::vector<Argument> arguments = {{DNNL_ARG_SRC_0, a.buffer, a.desc}, {DNNL_ARG_SRC_1, b.buffer, b.desc}};
  if (!op.residual.empty()) {
    const Value added = in_layout(op.residual, layout);
    post_ops.added = added.desc;
    arguments.push_back({kAddedTensor, added.buffer, added.desc});
  }
  const Made made = make_binary(engine_, pairwise_algorithm(op.node.op), {a.desc, b.desc}, post_ops);
  const Value y{new_buffer(made.dst), made.dst};
  arguments.push_back({DNNL_ARG_DST, y.buffer, y.desc});
  add_step(made, std::move(arguments));
  define(op.output, y);
}

void Lowering::lower_activation(const FusedOp& op) {
  const Value x = real_value(op.node.inputs[0]);
  const Made made = make_activation(engine_, op.node.op == Op::kRelu ? Activation::kRelu : Activation::kRelu6, x.desc);
  const bool own = may_overwrite(op.node.inputs[0]) && x.buffer == value(op.node.inputs[0]).buffer;
  const Value y{own ? x.buffer : new_buffer(made.dst), made.dst};
  add_step(made, {{DNNL_ARG_SRC, x.buffer, x.desc}, {DNNL_ARG_DST, y.buffer, y.desc}});
  define(op.output, y);
}

void Lowering::lower_concat(const FusedOp& op) {
  // Blocks that their channels do not fill cannot be joined: such values go through the plain layout.
  const DataType first = type_of(real_value(op.node.inputs[0]).desc);
  const bool padded = std::ranges::any_of(
      op.node.inputs, [&](const std::string& name) { return has_padding(value(name).desc) || type_of(real_value(name).desc) != first; });
  std::vector<Desc> descs;
  std::vector<Argument> arguments;
  for (const std::string& input : op.node.inputs) {
    const Value x = padded ? in_layout(input, plain_desc(dims_of(shapes_.at(input)))) : real_value(input);
    arguments.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(descs.size()), x.buffer, x.desc});
    descs.push_back(x.desc);
  }
  const Made made = make_concat(engine_, 1, descs);
  const Value y{new_buffer(made.dst), made.dst};
  arguments.push_back({DNNL_ARG_DST, y.buffer, y.desc});
  add_step(made, std::move(arguments));
  define(op.output, y);
}

void Lowering::lower_weighted_sum(const FusedOp& op) {
  const auto scalars = weights_.at(op.node.name + ".weight").values<float>();
  const Desc layout = real_value(op.node.inputs[0]).desc;
  std::vector<Desc> descs;
  std::vector<Argument> arguments;
  for (const std::string& input : op.node.inputs) {
    const Value x = in_layout(input, layout);
    arguments.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(descs.size()), x.buffer, x.desc});
    descs.push_back(x.desc);
  }
  const Made made = make_sum(engine_, {scalars.begin(), scalars.end()}, descs);
  const Value y{new_buffer(made.dst), made.dst};
  arguments.push_back({DNNL_ARG_DST, y.buffer, y.desc});
  add_step(made, std::move(arguments));
  define(op.output, y);
}

void Lowering::lower_softmax(const FusedOp& op) {
  const Desc plain = plain_desc(dims_of(op.shape));
  const Value x = in_layout(op.node.inputs[0], plain);
  const Desc rows = plain_desc({program_.rows, op.shape[0]});
  const Made made = make_softmax(engine_, rows, 1);
  const std::size_t out = new_buffer(made.dst);
  add_step(made, {{DNNL_ARG_SRC, x.buffer, rows}, {DNNL_ARG_DST, out, made.dst}});
  define(op.output, {out, plain});
}

void Lowering::lower_flatten(const FusedOp& op) {
  const Value& x = value(op.node.inputs[0]);
  const Desc plain = plain_desc(dims_of(shapes_.at(op.node.inputs[0])));
  const std::size_t out = new_buffer(plain);
  copy(x, {out, plain});
  define(op.output, {out, plain_desc(dims_of(op.shape))});
}

}  // namespace actio::runtime
