// A CUDA device that is none, for a LibTorch without CUDA: its memory cannot be touched by the CPU's code, its operations run on the
// CPU, and they refuse what a real one refuses: operands on different devices. Linking fake_cuda.cpp makes it device cuda:0.
#pragma once

#include <cstdint>
#include <string>

namespace actio::testing {

struct FakeCudaCounts {
  std::int64_t operations = 0;
  std::int64_t copies_in = 0;         // from the CPU
  std::int64_t pinned_copies_in = 0;  // of them those that do not wait
  std::int64_t copies_out = 0;
};

// Since the program began.
FakeCudaCounts fake_cuda_counts();

}  // namespace actio::testing
