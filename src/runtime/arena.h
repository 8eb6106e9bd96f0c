// runtime: places values that live at different times into one block of memory. In: sizes and lifetimes. Out: offsets.
#pragma once

#include <cstddef>
#include <vector>

namespace actio::runtime {

struct Lifetime {
  std::size_t bytes = 0;
  std::size_t first = 0, last = 0;  // steps, both included
};

struct ArenaPlan {
  std::vector<std::size_t> offsets;  // bytes, multiples of the alignment, one per lifetime
  std::size_t bytes = 0;             // of the whole block
};

// Two values whose lifetimes share a step never overlap. The largest come first, each into the tightest gap that holds it.
ArenaPlan plan_arena(const std::vector<Lifetime>& values, std::size_t alignment);

}  // namespace actio::runtime
