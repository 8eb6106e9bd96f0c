#include "torch/graph/torch_compat.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <map>

#include "core/cores.h"
#include "core/error.h"

namespace actio::torch_train {

void set_thread_count(std::int64_t threads) {
  at::set_num_threads(static_cast<int>(threads > 0 ? threads : core_count()));
}

#ifdef __x86_64__
namespace {

// oneDNN, which LibTorch asks, refuses where ONEDNN_MAX_CPU_ISA forbids the instructions.
bool onednn_multiplies_bf16() {
  try {
    const at::Tensor one = at::ones({1, 1, 1, 1}, at::kBFloat16);
    at::conv2d(one, one);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace
#endif

bool has_quick_bf16() {
#ifdef __x86_64__
  static const bool quick = __builtin_cpu_supports("avx512bf16") && onednn_multiplies_bf16();  // AMX comes with AVX512_BF16
  return quick;
#else
  return false;
#endif
}

bool has_cuda() { return at::globalContext().hasCUDA(); }

at::Device find_device(training::Device kind, int index) {
  if (kind == training::Device::kCpu) return at::kCPU;
  try {
    const c10::impl::VirtualGuardImpl devices(at::kCUDA);
    // A launcher may show every process its own device only.
    const int seen = std::max(1, static_cast<int>(devices.deviceCount()));
    const at::Device device(at::kCUDA, static_cast<at::DeviceIndex>(index % seen));
    at::empty({1}, at::TensorOptions().device(device));
    devices.setDevice(device);  // else pinned memory would take some of the first one
    return device;
  } catch (const std::exception& error) {
    fail("device cuda:{} cannot be used: {}", index, one_line(error));
  }
}

void set_up_cuda(bool tf32) {
  at::globalContext().setAllowTF32CuBLAS(tf32);
  at::globalContext().setAllowTF32CuDNN(tf32);
  at::globalContext().setDeterministicCuDNN(true);
}

at::Tensor moved_to(const at::Tensor& tensor, const at::Device& device, at::ScalarType dtype) {
  if (device.is_cpu()) return tensor.to(dtype);
  return (device.is_cuda() ? tensor.pin_memory() : tensor).to(device, dtype, /*non_blocking=*/true);
}

at::Generator make_generator(const at::Device& device, std::uint64_t seed) {
  if (device.is_cpu()) return at::make_generator<at::CPUGeneratorImpl>(seed);
  // clone() of 1.13 is never freed, so there is one for each device and thread.
  thread_local std::map<at::DeviceIndex, at::Generator> generators;
  auto found = generators.find(device.index());
  if (found == generators.end()) {
    found = generators.emplace(device.index(), at::globalContext().defaultGenerator(device).clone()).first;
  }
  found->second.set_current_seed(seed);
  return found->second;
}

at::Tensor relu6(const at::Tensor& x) { return at::clamp_max(at::relu(x), 6); }

std::string one_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

}  // namespace actio::torch_train
