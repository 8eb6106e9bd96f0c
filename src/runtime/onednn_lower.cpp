#include "runtime/onednn_lower.h"

#include "core/error.h"

namespace actio::runtime {

using net::Op;

Lowering::Lowering(const Subgraph& graph, const TensorMap& weights, std::int64_t rows, const dnnl::engine& engine,
                   WeightStore& store, const Numerics& numerics)
    : weights_(weights), engine_(engine), store_(store), numerics_(numerics), fused_(fuse(graph)), types_(assign_types(fused_, numerics, quick_types())) {
  program_.rows = rows;
  program_.inputs = graph.inputs;
  program_.outputs = graph.outputs;
  for (std::size_t i = 0; i < fused_.ops.size(); ++i) {
    for (const std::string& input : fused_.ops[i].node.inputs) last_use_[input] = i;
    if (!fused_.ops[i].residual.empty()) last_use_[fused_.ops[i].residual] = i;
    shapes_[fused_.ops[i].output] = fused_.ops[i].shape;
  }
  for (const Port& port : graph.inputs) shapes_[port.name] = port.shape;
}

Program Lowering::run() {
  for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
    program_.buffers.push_back({BufferKind::kInput, 0, i, {}});
    define(program_.inputs[i].name, {program_.buffers.size() - 1, desc_of(program_.inputs[i])});
  }
  for (current_ = 0; current_ < fused_.ops.size(); ++current_) {
    const FusedOp& op = fused_.ops[current_];
    try {
      lower(op);
    } catch (const dnnl::error& error) {
      fail("{}: oneDNN refuses {} to {}: {}", op.node.name, net::op_name(op.node.op), shape_text(op.shape), error.what());
    }
  }
  return std::move(program_);
}

void Lowering::lower(const FusedOp& op) {
  switch (op.node.op) {
    case Op::kConv2d:
    case Op::kConv1d:
    case Op::kBatchNorm: return lower_convolution(op);
    case Op::kLinear: return lower_linear(op);
    case Op::kMaxPool2d:
    case Op::kAvgPool2d: return lower_pool(op);
    case Op::kGlobalAvgPool:
    case Op::kTimeMean: return lower_mean(op);
    case Op::kRelu:
    case Op::kRelu6: return lower_activation(op);
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kMax: return lower_pairwise(op);
    case Op::kWeightedSum: return lower_weighted_sum(op);
    case Op::kConcat: return lower_concat(op);
    case Op::kSoftmax: return lower_softmax(op);
    case Op::kFlatten: return lower_flatten(op);
    case Op::kTimeTuples: return lower_plain(op);
    case Op::kInput:
    case Op::kDropout:
    case Op::kSegmentDiff:
    case Op::kSegmentMean:
    case Op::kSegmentStack: break;
  }
  fail("{}: {} cannot be executed row by row", op.node.name, net::op_name(op.node.op));
}

Dims Lowering::dims_of(const Shape& row) const {
  Dims dims = {program_.rows, 1, 1, 1};
  if (!row.empty()) dims[1] = row[0];
  if (row.size() == 2) dims[3] = row[1];
  if (row.size() >= 3) {
    dims[2] = row[1];
    for (std::size_t i = 2; i < row.size(); ++i) dims[3] *= row[i];
  }
  return dims;
}

// Convolutions of 8 bits, and those of AVX-512, keep the channels of a pixel together: to part them costs most of a copy's time.
Desc Lowering::desc_of(const Port& port) const {
  const Dims dims = dims_of(port.shape);
  return port.any_order ? channels_last_desc(dims) : plain_desc(dims);
}

bool Lowering::may_overwrite(const std::string& name) const {
  const auto used = last_use_.find(name);
  return program_.buffers[value(name).buffer].kind == BufferKind::kArena && used != last_use_.end() &&
         used->second == current_;
}

std::size_t Lowering::new_buffer(const Desc& desc) {
  program_.buffers.push_back({BufferKind::kArena, desc.get_size(), 0, {}});
  return program_.buffers.size() - 1;
}

std::size_t Lowering::constant(const dnnl::memory& memory) {
  program_.buffers.push_back({BufferKind::kConstant, 0, 0, memory});
  return program_.buffers.size() - 1;
}

std::size_t Lowering::constant(const std::string& key, const std::vector<float>& values) {
  const Desc plain = plain_desc({static_cast<std::int64_t>(values.size())});
  return constant(store_.get(key, plain, plain, [&] { return Tensor::of({static_cast<std::int64_t>(values.size())}, values); }));
}

void Lowering::add_step(const Made& made, std::vector<Argument> arguments) {
  if (made.scratchpad.get_size() > 0)
    arguments.push_back({DNNL_ARG_SCRATCHPAD, new_buffer(made.scratchpad), made.scratchpad});
  program_.steps.push_back({fused_.ops.empty() ? "" : fused_.ops[current_].node.name, made.primitive, std::move(arguments), {}, {}});
}

void Lowering::copy(const Value& from, const Value& to) {
  const float factor = from.scale / to.scale;
  Desc source = from.desc, target = to.desc;
  // oneDNN's code for other types in the same order is quick for one long row alone.
  if (!has_padding(source) && retyped(source, type_of(target)) == target) {
    const Dims row = {elements_of(source)};
    source = plain_desc(row, type_of(source));
    target = plain_desc(row, type_of(target));
  }
  const Made made = make_reorder(engine_, source, target, factor);
  std::vector<Argument> arguments = {{DNNL_ARG_FROM, from.buffer, source}, {DNNL_ARG_TO, to.buffer, target}};
  if (made.factors_role != 0) arguments.push_back({made.factors_role, constant(fmt::format("factor {}", factor), {factor}), plain_desc({1})});
  add_step(made, std::move(arguments));
}

Lowering::Value Lowering::in_layout(const std::string& name, const Desc& desc, float scale) {
  const Value& known = value(name);
  if (known.desc == desc && known.scale == scale) return known;
  for (const Value& other : copies_[name]) {
    if (other.desc == desc && other.scale == scale) return other;
  }
  const Value made{new_buffer(desc), desc, scale};
  copy(known, made);
  copies_[name].push_back(made);
  return made;
}

Lowering::Value Lowering::real_value(const std::string& name) {
  const Value& known = value(name);
  return is_int8(known.desc) ? in_layout(name, retyped(known.desc, DataType::f32)) : known;
}

void Lowering::define(const std::string& name, const Value& made) {
  values_[name] = made;
  for (std::size_t i = 0; i < fused_.outputs.size(); ++i) {
    if (fused_.outputs[i] != name) continue;
    program_.buffers.push_back({BufferKind::kOutput, 0, i, {}});
    copy(made, {program_.buffers.size() - 1, desc_of(program_.outputs[i])});
  }
}

std::vector<OpRecord> Lowering::records() const {
  std::vector<OpRecord> records;
  for (std::size_t i = 0; i < types_.size(); ++i) {
    records.push_back({fused_.ops[i].node.name, fused_.ops[i].node.op, types_[i].precision, types_[i].reason});
  }
  return records;
}

}  // namespace actio::runtime
