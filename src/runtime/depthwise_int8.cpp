#include "runtime/depthwise_int8.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace actio::runtime {
namespace {

constexpr std::int64_t kTaps = 3;
constexpr std::int64_t kRowsOfJob = 16;  // what they read and write stays in the second cache while channels are gone through in blocks

std::int32_t sum_at(const DepthwiseInt8& op, const DepthwiseBuffers& buffers, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t c) {
  std::int32_t sum = 0;
  for (std::int64_t tap = 0; tap < kTaps * kTaps; ++tap) {
    const std::int64_t from_y = y * op.stride_y - op.top + tap / kTaps, from_x = x * op.stride_x - op.left + tap % kTaps;
    if (from_y < 0 || from_y >= op.height || from_x < 0 || from_x >= op.width) continue;
    const std::uint8_t bits = buffers.in[((image * op.height + from_y) * op.width + from_x) * op.channels + c];
    sum += (op.in_signed ? static_cast<std::int8_t>(bits) : bits) * buffers.weight[tap * op.channels + c];
  }
  return sum;
}

void put(const DepthwiseInt8& op, float value, void* out, std::int64_t at) {
  if (op.out == DepthwiseInt8::Out::kU8) {
    static_cast<std::uint8_t*>(out)[at] = static_cast<std::uint8_t>(std::nearbyint(std::clamp(value, 0.0F, 255.0F)));
  } else if (op.out == DepthwiseInt8::Out::kS8) {
    static_cast<std::int8_t*>(out)[at] = static_cast<std::int8_t>(std::nearbyint(std::clamp(value, -128.0F, 127.0F)));
  } else {
    if (op.activation != Activation::kNone) value = std::max(value, 0.0F);
    if (op.activation == Activation::kRelu6) value = std::min(value, 6.0F);
    static_cast<float*>(out)[at] = value;
  }
}

}  // namespace

void depthwise_rows_plainly(const DepthwiseInt8& op, const DepthwiseBuffers& buffers, const DepthwiseRange& range) {
  for (std::int64_t y = range.first; y < range.last; ++y) {
    for (std::int64_t x = 0; x < op.out_width; ++x) {
      const std::int64_t at = ((range.image * op.out_height + y) * op.out_width + x) * op.channels;
      for (std::int64_t c = 0; c < op.channels; ++c) {
        const float sum = static_cast<float>(sum_at(op, buffers, range.image, y, x, c)) + buffers.bias[c];
        put(op, sum * buffers.factors[c], buffers.out, at + c);
      }
    }
  }
}

bool depthwise_fits(std::span<const float> bias, std::span<const float> factors) {
  constexpr double kLargestSum = kTaps * kTaps * 255 * 128;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const double most = (kLargestSum + std::abs(static_cast<double>(bias[c]))) * std::abs(static_cast<double>(factors[c]));
    if (!(most < std::numeric_limits<std::int32_t>::max() / 2)) return false;
  }
  return true;
}

bool is_own_depthwise(const FusedOp& op, const Shape& in) {
  const net::Attrs& a = op.node.attrs;
  const bool depthwise = op.node.op == net::Op::kConv2d && in.size() == 3 && a.groups > 1 && a.groups == in[0] && a.channels == in[0];
  return depthwise && a.kernel == std::array<std::int64_t, 2>{kTaps, kTaps} && std::max(a.stride[0], a.stride[1]) <= 2 && a.dilation[0] == 1 &&
         a.dilation[1] == 1 && op.residual.empty();
}

void run_depthwise(DepthwiseRows rows, const DepthwiseInt8& op, const DepthwiseBuffers& buffers, int threads) {
  const std::int64_t jobs_of_image = (op.out_height + kRowsOfJob - 1) / kRowsOfJob;
#ifdef __SANITIZE_THREAD__
  threads = 1;  // it does not see the barriers of libgomp
#endif
  const std::int64_t jobs = op.images * jobs_of_image;
  const auto run = [&](std::int64_t job) {
    const std::int64_t first = job % jobs_of_image * kRowsOfJob;
    rows(op, buffers, {job / jobs_of_image, first, std::min(first + kRowsOfJob, op.out_height)});
  };
  if (threads <= 1) {
    for (std::int64_t job = 0; job < jobs; ++job) run(job);
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (std::int64_t job = 0; job < jobs; ++job) run(job);
}

}  // namespace actio::runtime
