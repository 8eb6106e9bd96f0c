// torch: everything that differs between LibTorch releases or devices, so that the other files need no version checks.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <string>

#include "training/choices.h"

namespace actio::torch_train {

// Sets the threads of LibTorch's operators in this process; 0: one per core. (LibTorch's own default is 1 in some builds.)
void set_thread_count(std::int64_t threads);

// Whether this processor has the instructions with which bfloat16 convolutions are faster than f32, and may use them.
bool has_quick_bf16();

// Whether LibTorch has CUDA and finds a device.
bool has_cuda();

// The CPU, or the CUDA device of a number among those that this process sees (counted round), which becomes this thread's.
// Throws: Error where this LibTorch or machine has none, with the reason.
at::Device find_device(training::Device kind, int index = 0);

// Of CUDA: whether matrix products and convolutions in f32 may use TF32; convolutions give the same bits every time.
void set_up_cuda(bool tf32);

// The same values on `device`; CUDA: from pinned memory and without waiting.
at::Tensor moved_to(const at::Tensor& tensor, const at::Device& device, at::ScalarType dtype);

// CUDA: the same one each time for a device and thread, begun anew.
at::Generator make_generator(const at::Device& device, std::uint64_t seed);

// min(max(x, 0), 6) out of ops that have a backward in every type (1.13 lacks bfloat16 for hardtanh on the CPU).
at::Tensor relu6(const at::Tensor& x);

// The first line of a LibTorch exception, without the C++ call stack.
std::string one_line(const std::exception& error);

}  // namespace actio::torch_train
