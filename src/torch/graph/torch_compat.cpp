#include "torch/graph/torch_compat.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <limits>

#include "core/cores.h"
#include "core/error.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace actio::torch_train {

void set_thread_count(std::int64_t threads) {
  at::set_num_threads(static_cast<int>(threads > 0 ? threads : core_count()));
}

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

bool has_quick_bf16() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

at::Device find_device(const std::string& name, int index) {
  if (name == "cpu") return at::kCPU;
  if (name != "cuda") fail_usage("device: '{}' is unknown; known: cpu, cuda", name);
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
  // clone() of 1.13 is never freed.
  static at::Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(seed);
  return generator;
}

at::Tensor relu6(const at::Tensor& x) { return at::clamp_max(at::relu(x), 6); }

std::string one_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

}  // namespace actio::torch_train
