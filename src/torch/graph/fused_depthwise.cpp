#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "torch/graph/fused_ops.h"
#include "torch/kernels/kernels.h"
#include "torch/kernels/row_chunks.h"

namespace actio::torch_train {
namespace {

using kernels::Bf16;
using kernels::Depthwise;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Depthwise shape_of(const net::Attrs& attrs, const at::Tensor& x) {
  Depthwise s;
  s.channels = x.size(1);
  s.in_height = x.size(2);
  s.in_width = x.size(3);
  s.kernel_height = attrs.kernel[0];
  s.kernel_width = attrs.kernel[1];
  s.stride_y = attrs.stride[0];
  s.stride_x = attrs.stride[1];
  s.dilation_y = attrs.dilation[0];
  s.dilation_x = attrs.dilation[1];
  s.top = attrs.padding.top;
  s.left = attrs.padding.left;
  const std::int64_t reach_y = (s.kernel_height - 1) * s.dilation_y + 1, reach_x = (s.kernel_width - 1) * s.dilation_x + 1;
  s.out_height = (s.in_height + s.top + attrs.padding.bottom - reach_y) / s.stride_y + 1;
  s.out_width = (s.in_width + s.left + attrs.padding.right - reach_x) / s.stride_x + 1;
  return s;
}

at::Tensor empty_images(const at::Tensor& like, std::int64_t height, std::int64_t width) {
  return at::empty({like.size(0), like.size(1), height, width},
                   like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

// Rows of all images, each handled by one call of `each(image, y)`.
template <typename Each>
void each_row(std::int64_t images, std::int64_t height, const Each& each) {
  const std::int64_t grain = std::max<std::int64_t>(1, height / 4);
  at::parallel_for(0, images * height, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) each(row / height, row % height);
  });
}

template <typename T>
at::Tensor forward_images(const Depthwise& s, const at::Tensor& x, const at::Tensor& weight) {
  at::Tensor y = empty_images(x, s.out_height, s.out_width);
  const T* from = static_cast<const T*>(x.data_ptr());
  T* to = static_cast<T*>(y.data_ptr());
  const float* w = weight.data_ptr<float>();
  each_row(x.size(0), s.out_height, [&](std::int64_t image, std::int64_t row) {
    kernels::depthwise_row(s, from + image * s.in_height * s.in_width * s.channels, w, row,
                           to + (image * s.out_height + row) * s.out_width * s.channels);
  });
  return y;
}

template <typename T>
at::Tensor input_gradient(const Depthwise& s, const at::Tensor& g, const at::Tensor& weight) {
  at::Tensor dx = empty_images(g, s.in_height, s.in_width);
  const T* from = static_cast<const T*>(g.data_ptr());
  T* to = static_cast<T*>(dx.data_ptr());
  const float* w = weight.data_ptr<float>();
  each_row(g.size(0), s.in_height, [&](std::int64_t image, std::int64_t row) {
    kernels::depthwise_input_gradient_row(s, from + image * s.out_height * s.out_width * s.channels, w, row,
                                          to + (image * s.in_height + row) * s.in_width * s.channels);
  });
  return dx;
}

// Out: f32 [kh * kw, C].
template <typename T>
at::Tensor weight_gradient(const Depthwise& s, const at::Tensor& x, const at::Tensor& g) {
  const RowChunks chunks(x.size(0) * s.out_height);
  const std::int64_t size = s.kernel_height * s.kernel_width * s.channels;
  at::Tensor partial = at::zeros({chunks.count, s.kernel_height * s.kernel_width, s.channels}, at::kFloat);
  float* sums = partial.data_ptr<float>();
  const T* images = static_cast<const T*>(x.data_ptr());
  const T* gradients = static_cast<const T*>(g.data_ptr());
  at::parallel_for(0, chunks.count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = chunks.first(begin), chunk = begin; chunk < end; ++chunk) {
      for (; row < chunks.first(chunk + 1); ++row) {
        const std::int64_t image = row / s.out_height;
        kernels::add_depthwise_weight_gradient(s, images + image * s.in_height * s.in_width * s.channels,
                                               gradients + row * s.out_width * s.channels, row % s.out_height,
                                               sums + chunk * size);
      }
    }
  });
  float* total = sums;  // the first part
  for (std::int64_t chunk = 1; chunk < chunks.count; ++chunk) {
    for (std::int64_t i = 0; i < size; ++i) total[i] += sums[chunk * size + i];
  }
  return partial[0];
}

struct DepthwiseConv2d : torch::autograd::Function<DepthwiseConv2d> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const Depthwise& s) {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor packed = weight.reshape({s.channels, s.kernel_height * s.kernel_width}).t().contiguous();
    context->save_for_backward({x, packed});
    context->saved_data["shape"] = std::vector<std::int64_t>{s.kernel_height, s.kernel_width, s.stride_y, s.stride_x,
                                                             s.dilation_y,    s.dilation_x,   s.top,      s.left};
    return is_bf16(x) ? forward_images<Bf16>(s, x, packed) : forward_images<float>(s, x, packed);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &packed = saved[1];
    const at::Tensor g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const auto numbers = context->saved_data["shape"].toIntVector();
    const Depthwise s{x.size(1),  x.size(2),  x.size(3),  g.size(2),  g.size(3),  numbers[0], numbers[1],
                      numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7]};
    const at::Tensor dx = is_bf16(x) ? input_gradient<Bf16>(s, g, packed) : input_gradient<float>(s, g, packed);
    const at::Tensor dw = is_bf16(x) ? weight_gradient<Bf16>(s, x, g) : weight_gradient<float>(s, x, g);
    return {dx, dw.t().reshape({s.channels, 1, s.kernel_height, s.kernel_width}), {}};
  }
};

}  // namespace

bool can_run_depthwise(const net::Attrs& attrs, const at::Tensor& x, const at::Tensor& weight) {
  return attrs.groups > 1 && attrs.groups == x.size(1) && attrs.groups == attrs.channels && !attrs.bias &&
         attrs.kernel[0] <= kernels::kMaxDepthwiseKernel && attrs.kernel[1] <= kernels::kMaxDepthwiseKernel &&
         x.device().is_cpu() && x.numel() > 0 && (x.scalar_type() == at::kFloat || is_bf16(x)) &&
         weight.scalar_type() == at::kFloat;
}

at::Tensor depthwise_conv2d(const net::Attrs& attrs, const at::Tensor& x, const at::Tensor& weight) {
  return DepthwiseConv2d::apply(x, weight, shape_of(attrs, x));
}

}  // namespace actio::torch_train
