// torch: what the kernels share: conversion of elements, and one compiled copy per instruction set, chosen when the program
// starts.
#pragma once

#include <bit>
#include <cstdint>

#include "torch/kernels/kernels.h"

// Sanitizers cannot run the code that chooses.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define ACTIO_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ACTIO_MULTIVERSION
#endif
#define ACTIO_INLINE inline __attribute__((always_inline))

namespace actio::torch_train::kernels {

ACTIO_INLINE float load(const float& value) { return value; }
ACTIO_INLINE float load(const Bf16& value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16); }

ACTIO_INLINE void store(float& target, float value) { target = value; }

// To the nearest, ties to even; NaN stays NaN.
ACTIO_INLINE void store(Bf16& target, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  target.bits = static_cast<std::uint16_t>(value != value ? 0x7FC0U : rounded);
}

}  // namespace actio::torch_train::kernels
