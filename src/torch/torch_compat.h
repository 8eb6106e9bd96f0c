// torch: everything that differs between LibTorch releases or devices, so that the other files need no version checks.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <string>

namespace actio::torch_train {

// Sets the threads of LibTorch's operators in this process; 0: one per core. (LibTorch's own default is 1 in some builds.)
void set_thread_count(std::int64_t threads);

// Lets the allocator keep the memory of freed tensors. Without it every step gets its large tensors from the operating
// system anew, page by page, which takes a third of the time of training a small network on the CPU.
void keep_freed_memory();

// Whether this processor has the instructions with which bfloat16 convolutions are faster than f32.
bool has_quick_bf16();

// "cpu", or "cuda" and the number of a device. Throws: Error where this LibTorch or machine has none, with the reason.
at::Device find_device(const std::string& name, int index = 0);

// Whether matrix products and convolutions in f32 may use TF32 on CUDA. Without effect elsewhere.
void allow_tf32(bool allowed);

// The same values on `device`; from pinned memory and without waiting where the device is not the CPU.
at::Tensor moved_to(const at::Tensor& tensor, const at::Device& device, at::ScalarType dtype);

at::Generator make_generator(const at::Device& device, std::uint64_t seed);

// min(max(x, 0), 6) out of ops that have a backward in every type (1.13 lacks bfloat16 for hardtanh on the CPU).
at::Tensor relu6(const at::Tensor& x);

// The first line of a LibTorch exception, without the C++ call stack.
std::string one_line(const std::exception& error);

}  // namespace actio::torch_train
