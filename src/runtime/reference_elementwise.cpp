#include <algorithm>
#include <cmath>

#include "runtime/reference_ops.h"

namespace actio::runtime {
namespace {

using net::Op;

// Comparisons are written so that NaN passes through.
float combine(Op op, float a, float b) {
  switch (op) {
    case Op::kAdd: return a + b;
    case Op::kSub: return a - b;
    case Op::kMul: return a * b;
    default: return a < b ? b : a;
  }
}

float rectify(Op op, float a) {
  const float positive = a < 0 ? 0.0F : a;
  return op == Op::kRelu6 && positive > 6 ? 6.0F : positive;
}

float weighted_sum_at(const OpCall& call, const float* scalars, std::int64_t i) {
  double sum = 0;
  for (std::size_t k = 0; k < call.inputs.size(); ++k) sum += static_cast<double>(scalars[k]) * call.inputs[k].data[i];
  return static_cast<float>(sum);
}

}  // namespace

void reference_elementwise(const OpCall& call) {
  const std::int64_t count = call.rows * shape_numel(call.out_shape);
  const float* a = call.inputs[0].data;
  const Op op = call.node.op;
  const float* scalars = call.param(".weight");
  for (std::int64_t i = 0; i < count; ++i) {
    if (op == Op::kDropout || op == Op::kFlatten)
      call.out[i] = a[i];
    else if (op == Op::kRelu || op == Op::kRelu6)
      call.out[i] = rectify(op, a[i]);
    else if (op == Op::kWeightedSum)
      call.out[i] = weighted_sum_at(call, scalars, i);
    else
      call.out[i] = combine(op, a[i], call.inputs[1].data[i]);
  }
}

void reference_batch_norm(const OpCall& call) {
  const std::int64_t channels = call.out_shape[0];
  const std::int64_t plane = shape_numel(call.out_shape) / channels;
  const float* scale = call.param(".weight");
  const float* shift = call.param(".bias");
  const float* mean = call.param(".running_mean");
  const float* variance = call.param(".running_var");
  for (std::int64_t job = 0; job < call.rows * channels; ++job) {
    const std::int64_t c = job % channels;
    const double factor = scale[c] / std::sqrt(static_cast<double>(variance[c]) + call.node.attrs.epsilon);
    for (std::int64_t i = job * plane; i < (job + 1) * plane; ++i) {
      call.out[i] = static_cast<float>((static_cast<double>(call.inputs[0].data[i]) - mean[c]) * factor + shift[c]);
    }
  }
}

void reference_concat(const OpCall& call) {
  const std::int64_t out_row = shape_numel(call.out_shape);
  std::int64_t offset = 0;
  for (const RowsIn& input : call.inputs) {
    const std::int64_t in_row = shape_numel(input.shape);
    for (std::int64_t row = 0; row < call.rows; ++row) {
      std::copy_n(input.data + row * in_row, in_row, call.out + row * out_row + offset);
    }
    offset += in_row;
  }
}

void reference_softmax(const OpCall& call) {
  const std::int64_t classes = call.out_shape[0];
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const float* in = call.inputs[0].data + row * classes;
    const double largest = *std::max_element(in, in + classes);
    double sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(in[c] - largest);
    for (std::int64_t c = 0; c < classes; ++c)
      call.out[row * classes + c] = static_cast<float>(std::exp(in[c] - largest) / sum);
  }
}

}  // namespace actio::runtime
