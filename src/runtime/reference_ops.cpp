#include "runtime/reference_ops.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "core/error.h"

namespace actio::runtime {

using net::Op;

const float* OpCall::param(const char* suffix) const {
  const auto found = weights.find(node.name + suffix);
  return found == weights.end() ? nullptr : found->second.data<float>();
}

void run_reference_op(const OpCall& call) {
  switch (call.node.op) {
    case Op::kConv2d:
    case Op::kConv1d: return reference_conv(call);
    case Op::kLinear: return reference_linear(call);
    case Op::kMaxPool2d:
    case Op::kAvgPool2d: return reference_pool(call);
    case Op::kGlobalAvgPool:
    case Op::kTimeMean: return reference_mean(call);
    case Op::kBatchNorm: return reference_batch_norm(call);
    case Op::kRelu:
    case Op::kRelu6:
    case Op::kDropout:
    case Op::kFlatten:
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kMax:
    case Op::kWeightedSum: return reference_elementwise(call);
    case Op::kConcat: return reference_concat(call);
    case Op::kSoftmax: return reference_softmax(call);
    case Op::kTimeTuples: return reference_time_tuples(call);
    case Op::kInput:
    case Op::kSegmentDiff:
    case Op::kSegmentMean:
    case Op::kSegmentStack: break;
  }
  fail("{}: {} cannot be executed row by row", call.node.name, net::op_name(call.node.op));
}

void run_on_threads(std::int64_t count, std::int64_t threads, const std::function<void(std::int64_t)>& work) {
  std::atomic<std::int64_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto worker = [&] {
    try {
      for (std::int64_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::jthread> helpers;
  for (std::int64_t i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(worker);
  worker();
  helpers.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace actio::runtime
