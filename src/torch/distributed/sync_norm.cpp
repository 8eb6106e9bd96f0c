#include "torch/distributed/sync_norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <utility>

namespace actio::torch_train::distributed {

using namespace training::ranks;
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// All but the channels.
std::vector<std::int64_t> row_dims(const at::Tensor& x) {
  std::vector<std::int64_t> dims{0};
  for (std::int64_t i = 2; i < x.dim(); ++i) dims.push_back(i);
  return dims;
}

// [C] beside x: [1, C, 1, ...].
at::Tensor per_channel(const at::Tensor& values, const at::Tensor& x) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[1] = values.numel();
  return values.view(shape);
}

at::Tensor tensor_of(const std::vector<double>& values, const at::Tensor& like) {
  return at::tensor(values, at::kDouble).to(like.device(), like.scalar_type());
}

// Both at once: each copy from a device waits for all that it has to do.
std::pair<std::vector<double>, std::vector<double>> numbers_of(const at::Tensor& first, const at::Tensor& second) {
  const at::Tensor copy = at::stack({first, second}).to(at::kCPU, at::kDouble).contiguous();
  const double *begin = copy.data_ptr<double>(), *middle = begin + first.numel();
  return {{begin, middle}, {middle, middle + second.numel()}};
}

ChannelMoments own_moments(const at::Tensor& x) {
  const auto [variance, mean] = at::var_mean(x, row_dims(x), false);
  const auto [means, variances] = numbers_of(mean, variance);
  return {means, variances, static_cast<double>(x.numel() / x.size(1))};
}

void move_statistics(const NormParams& params, const ChannelMoments& all, double momentum) {
  std::vector<double> unbiased = all.variance;
  for (double& value : unbiased) value *= all.count / std::max(1.0, all.count - 1);
  params.running_mean.mul_(1 - momentum).add_(tensor_of(all.mean, params.running_mean), momentum);
  params.running_var.mul_(1 - momentum).add_(tensor_of(unbiased, params.running_var), momentum);
}

struct SyncBatchNorm : torch::autograd::Function<SyncBatchNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, const NormParams& params, const NormSettings& settings) {
    const at::Tensor x = input.to(weight.scalar_type());
    const ChannelMoments all = combine_moments(*settings.group, own_moments(x));
    move_statistics(params, all, settings.momentum);
    const at::Tensor mean = per_channel(tensor_of(all.mean, x), x);
    const at::Tensor deviation = per_channel((tensor_of(all.variance, x) + settings.epsilon).rsqrt(), x);
    context->save_for_backward({input, weight, mean, deviation});
    context->saved_data["count"] = all.count;
    context->saved_data["group"] = reinterpret_cast<std::int64_t>(settings.group);
    return ((x - mean) * (deviation * per_channel(weight, x)) + per_channel(bias, x)).to(input.scalar_type());
  }

  // As in fused_norm.cpp, with sums over all ranks.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1], &mean = saved[2], &deviation = saved[3];
    const double count = context->saved_data["count"].toDouble();
    Group& group = *reinterpret_cast<Group*>(context->saved_data["group"].toInt());
    const at::Tensor h = (input.to(weight.scalar_type()) - mean) * deviation;
    const at::Tensor g = gradients[0].to(weight.scalar_type());
    const at::Tensor of_bias = g.sum(row_dims(g)), of_weight = (g * h).sum(row_dims(g));
    auto [sums, products] = numbers_of(of_bias, of_weight);
    add_over_ranks(group, sums, products);
    const at::Tensor mean_g = per_channel(tensor_of(sums, g), g) / count;
    const at::Tensor mean_gh = per_channel(tensor_of(products, g), g) / count;
    const at::Tensor of_x = per_channel(weight, g) * deviation * (g - mean_g - h * mean_gh);
    return {of_x.to(input.scalar_type()), of_weight, of_bias, {}, {}};
  }
};

}  // namespace

// Source: Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances. The ranks'
// means differ by little, where sums of squares would cancel.
ChannelMoments combine_moments(Group& group, const ChannelMoments& own) {
  const auto channels = static_cast<std::int64_t>(own.mean.size());
  at::Tensor mine = at::empty({2 * channels + 1}, at::kDouble);
  double* to = mine.data_ptr<double>();
  std::copy(own.mean.begin(), own.mean.end(), to);
  std::copy(own.variance.begin(), own.variance.end(), to + channels);
  to[2 * channels] = own.count;
  const at::Tensor gathered = group.all_gather(mine);

  ChannelMoments all{std::vector<double>(own.mean.size()), std::vector<double>(own.mean.size()), 0};
  for (int rank = 0; rank < group.size(); ++rank) {
    const double* values = gathered.data_ptr<double>() + rank * (2 * channels + 1);
    const double count = values[2 * channels], together = all.count + count;
    if (count == 0) continue;
    for (std::size_t c = 0; c < all.mean.size(); ++c) {
      const double apart = values[c] - all.mean[c];
      const double squares = all.variance[c] * all.count + values[static_cast<std::size_t>(channels) + c] * count +
                             apart * apart * all.count * count / together;
      all.mean[c] += apart * count / together;
      all.variance[c] = squares / together;
    }
    all.count = together;
  }
  return all;
}

void add_over_ranks(Group& group, std::vector<double>& first, std::vector<double>& second) {
  at::Tensor both = at::empty({static_cast<std::int64_t>(first.size() + second.size())}, at::kDouble);
  double* values = both.data_ptr<double>();
  std::copy(second.begin(), second.end(), std::copy(first.begin(), first.end(), values));
  group.all_reduce_sum(both);
  std::copy(values, values + first.size(), first.begin());
  std::copy(values + first.size(), values + both.numel(), second.begin());
}

at::Tensor sync_batch_norm(const at::Tensor& x, const NormParams& params, const NormSettings& settings) {
  return SyncBatchNorm::apply(x, params.weight, params.bias, params, settings);
}

}  // namespace actio::torch_train::distributed
