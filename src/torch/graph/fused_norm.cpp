#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "torch/distributed/sync_norm.h"
#include "torch/graph/fused_ops.h"
#include "torch/kernels/kernels.h"
#include "torch/kernels/kernels_simd.h"
#include "torch/kernels/row_chunks.h"

namespace actio::torch_train {
namespace {

using kernels::Block;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

kernels::Affine affine_of(const at::Tensor& scale, const at::Tensor& shift, Activation activation) {
  kernels::Affine affine{scale.data_ptr<float>(), shift.data_ptr<float>()};
  if (activation != Activation::kNone) affine.low = 0;
  if (activation == Activation::kRelu6) affine.high = 6;
  return affine;
}

// One number per channel. Plain loops: LibTorch's operators cost more than the arithmetic on such short vectors.
using Channels = std::vector<double>;

at::Tensor to_tensor(const Channels& values) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::ranges::transform(values, tensor.data_ptr<float>(), [](double value) { return static_cast<float>(value); });
  return tensor;
}

struct TwoSums {
  Channels first, second;
};

// Two sums per channel over all rows, made by `add(block, first_row, a, b)` in chunks. The result does not depend on the
// number of threads.
template <typename Add>
TwoSums sum_rows(std::int64_t rows, std::int64_t channels, const Add& add) {
  const RowChunks chunks(rows);
  std::vector<float> partial(static_cast<std::size_t>(chunks.count * 2 * channels));
  at::parallel_for(0, chunks.count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      float* mine = partial.data() + i * 2 * channels;
      add(Block{chunks.size(i), channels}, chunks.first(i), mine, mine + channels);
    }
  });
  const auto count = static_cast<std::size_t>(channels);
  TwoSums sums{Channels(count), Channels(count)};
  for (const float* mine = partial.data(); mine != partial.data() + partial.size(); mine += 2 * count) {
    for (std::size_t c = 0; c < count; ++c) {
      sums.first[c] += mine[c];
      sums.second[c] += mine[count + c];
    }
  }
  return sums;
}

template <typename Each>
void each_chunk(std::int64_t rows, std::int64_t channels, const Each& each) {
  const RowChunks chunks(rows);
  at::parallel_for(0, chunks.count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) each(Block{chunks.size(i), channels}, chunks.first(i) * channels);
  });
}

// Sums of differences from a first value do not cancel where the mean is far from zero.
template <typename T>
std::vector<float> first_row(const T* data, std::int64_t channels) {
  std::vector<float> row(static_cast<std::size_t>(channels));
  std::transform(data, data + channels, row.begin(), [](const T& value) { return kernels::load(value); });
  return row;
}

using Moments = distributed::ChannelMoments;

template <typename T>
Moments own_batch_moments(const at::Tensor& x) {
  const std::int64_t channels = x.size(1), rows = x.numel() / channels;
  const T* data = static_cast<const T*>(x.data_ptr());
  const std::vector<float> pivot = first_row(data, channels);
  const TwoSums sums = sum_rows(rows, channels, [&](Block block, std::int64_t first, float* sum, float* squares) {
    kernels::add_moments(block, data + first * channels, pivot.data(), sum, squares);
  });
  Moments m{sums.first, sums.second, static_cast<double>(rows)};
  for (std::size_t c = 0; c < m.mean.size(); ++c) {
    const double shift = sums.first[c] / m.count;
    m.mean[c] = pivot[c] + shift;
    const double variance = sums.second[c] / m.count - shift * shift;
    m.variance[c] = variance < 0 ? 0 : variance;
  }
  return m;
}

Moments batch_moments(const at::Tensor& x, const NormParams& params, const NormSettings& settings) {
  const Moments own = is_bf16(x) ? own_batch_moments<kernels::Bf16>(x) : own_batch_moments<float>(x);
  const Moments m = settings.group != nullptr ? distributed::combine_moments(*settings.group, own) : own;
  float *running_mean = params.running_mean.data_ptr<float>(), *running_var = params.running_var.data_ptr<float>();
  const double momentum = settings.momentum, unbiased = m.count / std::max(1.0, m.count - 1);
  for (std::size_t c = 0; c < m.mean.size(); ++c) {
    running_mean[c] = static_cast<float>((1 - momentum) * running_mean[c] + momentum * m.mean[c]);
    running_var[c] = static_cast<float>((1 - momentum) * running_var[c] + momentum * m.variance[c] * unbiased);
  }
  return m;
}

Moments running_moments(const NormParams& params) {
  const float *mean = params.running_mean.data_ptr<float>(), *variance = params.running_var.data_ptr<float>();
  const std::int64_t channels = params.running_mean.numel();
  return {Channels(mean, mean + channels), Channels(variance, variance + channels), 0};
}

template <typename T>
at::Tensor norm_forward(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift, const at::Tensor& skip,
                        Activation activation) {
  at::Tensor y = at::empty_like(x);
  const kernels::Affine affine = affine_of(scale, shift, activation);
  const T* from = static_cast<const T*>(x.data_ptr());
  const T* added = skip.defined() ? static_cast<const T*>(skip.data_ptr()) : nullptr;
  T* to = static_cast<T*>(y.data_ptr());
  each_chunk(x.numel() / x.size(1), x.size(1), [&](Block block, std::int64_t offset) {
    if (added != nullptr) kernels::apply_affine_and_add(block, affine, from + offset, added + offset, to + offset);
    else kernels::apply_affine(block, affine, from + offset, to + offset);
  });
  return y;
}

// What backward needs of the forward pass, besides x: scale = weight * inverse_deviation, shift = bias - mean * scale.
struct Saved {
  at::Tensor x, scale, shift, mean, inverse_deviation;
  at::Tensor y;                         // where something was added before the activation
  double count = 0;                       // values per channel in the batch
  distributed::Group* group = nullptr;  // over which the batch is spread
};

template <typename T>
at::Tensor norm_input_gradient(const Saved& s, const at::Tensor& g, const at::Tensor& of_x, const at::Tensor& constant,
                               Activation act) {
  at::Tensor dx = at::empty_like(s.x);
  const kernels::Affine affine = affine_of(s.scale, s.shift, act);
  const kernels::InputGradient factors{s.scale.data_ptr<float>(), of_x.data_ptr<float>(), constant.data_ptr<float>()};
  const T* x = static_cast<const T*>(s.x.data_ptr());
  const T* gradient = static_cast<const T*>(g.data_ptr());
  T* to = static_cast<T*>(dx.data_ptr());
  each_chunk(s.x.numel() / s.x.size(1), s.x.size(1), [&](Block block, std::int64_t offset) {
    kernels::input_gradient<T>(block, affine, factors, {x + offset, gradient + offset, to + offset});
  });
  return dx;
}

// Sums over this process's rows. Where something was added, `g` becomes what passed the activation.
template <typename T>
TwoSums gradient_sums(const Saved& s, at::Tensor& g, Activation act) {
  const std::int64_t channels = s.x.size(1), rows = s.x.numel() / channels;
  const kernels::Affine affine = affine_of(s.scale, s.shift, act);
  const T* x = static_cast<const T*>(s.x.data_ptr());
  const T* gradient = static_cast<const T*>(g.data_ptr());
  const float* mean = s.mean.data_ptr<float>();
  if (!s.y.defined()) {
    return sum_rows(rows, channels, [&](Block block, std::int64_t first, float* sum, float* product) {
      kernels::add_gradient_sums(block, affine, x + first * channels, gradient + first * channels, {mean, sum, product});
    });
  }
  const at::Tensor passed = at::empty_like(s.x);
  const T* y = static_cast<const T*>(s.y.data_ptr());
  T* change = static_cast<T*>(passed.data_ptr());
  const TwoSums sums = sum_rows(rows, channels, [&](Block block, std::int64_t first, float* sum, float* product) {
    const std::int64_t offset = first * channels;
    kernels::add_joined_gradient_sums<T>(block, affine, {x + offset, gradient + offset, y + offset, change + offset},
                                         {mean, sum, product});
  });
  g = passed;
  return sums;
}

// Source: Ioffe and Szegedy, Batch Normalization, sec. 3; with h = (x - mean) * inverse_deviation and the means taken over
// the batch, dx = weight * inverse_deviation * (g' - mean(g') - h * mean(g' * h)).
template <typename T>
variable_list norm_backward(const Saved& s, at::Tensor g, bool training, Activation act) {
  const bool joined = s.y.defined();
  TwoSums sums;
  if (training || joined) sums = gradient_sums<T>(s, g, act);
  const at::Tensor of_skip = joined ? g : at::Tensor();
  if (joined) act = Activation::kNone;  // it is behind us
  if (!training) {
    const at::Tensor zeros = at::zeros({s.x.size(1)}, at::kFloat);
    return {norm_input_gradient<T>(s, g, zeros, zeros, act), {}, {}, of_skip};
  }
  const float *scale = s.scale.data_ptr<float>(), *deviation = s.inverse_deviation.data_ptr<float>();
  const float* mean = s.mean.data_ptr<float>();
  TwoSums all = sums;  // of the whole batch, where `sums` are of this rank's part
  if (s.group != nullptr) distributed::add_over_ranks(*s.group, all.first, all.second);
  Channels of_weight = sums.second, of_x = sums.second, constant = sums.first;
  for (std::size_t c = 0; c < of_x.size(); ++c) {
    const double factor = static_cast<double>(scale[c]) / s.count;
    of_weight[c] = sums.second[c] * deviation[c];
    of_x[c] = -factor * deviation[c] * all.second[c] * deviation[c];
    constant[c] = -factor * all.first[c] - of_x[c] * static_cast<double>(mean[c]);
  }
  return {norm_input_gradient<T>(s, g, to_tensor(of_x), to_tensor(constant), act), to_tensor(of_weight),
          to_tensor(sums.first), of_skip};
}

at::MemoryFormat format_of(const at::Tensor& x) {
  return x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

struct FusedBatchNorm : torch::autograd::Function<FusedBatchNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, const c10::optional<at::Tensor>& other, const NormParams& params,
                            const NormSettings& settings) {
    const at::Tensor skip = other.value_or(at::Tensor());
    const at::Tensor x = input.contiguous(format_of(input));
    const at::Tensor added = skip.defined() ? skip.contiguous(format_of(input)) : skip;
    const Moments moments = settings.training ? batch_moments(x, params, settings) : running_moments(params);
    const float *w = weight.data_ptr<float>(), *b = bias.data_ptr<float>();
    Channels deviation = moments.variance, scales = moments.variance, shifts = moments.variance;
    for (std::size_t c = 0; c < scales.size(); ++c) {
      deviation[c] = 1 / std::sqrt(moments.variance[c] + settings.epsilon);
      scales[c] = w[c] * deviation[c];
      shifts[c] = b[c] - moments.mean[c] * scales[c];
    }
    const at::Tensor scale = to_tensor(scales), shift = to_tensor(shifts);
    const at::Tensor y = is_bf16(x) ? norm_forward<kernels::Bf16>(x, scale, shift, added, settings.activation)
                                    : norm_forward<float>(x, scale, shift, added, settings.activation);
    context->save_for_backward(
        {x, scale, shift, to_tensor(moments.mean), to_tensor(deviation), skip.defined() ? y : at::Tensor()});
    context->saved_data["training"] = settings.training;
    context->saved_data["count"] = moments.count;
    context->saved_data["group"] = reinterpret_cast<std::int64_t>(settings.group);
    context->saved_data["activation"] = static_cast<std::int64_t>(settings.activation);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Saved s{saved[0], saved[1], saved[2], saved[3], saved[4], saved[5],
                  context->saved_data["count"].toDouble(),
                  reinterpret_cast<distributed::Group*>(context->saved_data["group"].toInt())};
    const bool training = context->saved_data["training"].toBool();
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const at::Tensor g = gradients[0].contiguous(format_of(s.x));
    variable_list result = is_bf16(s.x) ? norm_backward<kernels::Bf16>(s, g, training, activation)
                                        : norm_backward<float>(s, g, training, activation);
    result.resize(6);
    return result;
  }
};

}  // namespace

bool can_fuse_batch_norm(const at::Tensor& x, const NormParams& params) {
  return x.device().is_cpu() && (x.dim() == 2 || x.dim() == 4) && x.numel() > 0 &&
         (x.scalar_type() == at::kFloat || is_bf16(x)) && params.weight.scalar_type() == at::kFloat;
}

bool can_fuse_addition(const at::Tensor& x, const at::Tensor& skip) {
  return skip.sizes() == x.sizes() && skip.scalar_type() == x.scalar_type() && skip.device() == x.device();
}

at::Tensor fused_batch_norm(const at::Tensor& x, const NormParams& params, const NormSettings& settings) {
  // apply() asks every tensor that it is given for its device.
  return FusedBatchNorm::apply(x, params.weight, params.bias, c10::optional<at::Tensor>(), params, settings);
}

at::Tensor fused_batch_norm_and_add(const at::Tensor& x, const at::Tensor& skip, const NormParams& params,
                                    const NormSettings& settings) {
  return FusedBatchNorm::apply(x, params.weight, params.bias, c10::optional<at::Tensor>(skip), params, settings);
}

}  // namespace actio::torch_train
