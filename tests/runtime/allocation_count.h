// Counts what a thread allocates, by malloc or by new. In: a scope. Out: counts, those inside of oneDNN apart.
#pragma once

#include <cstddef>

namespace actio::testing {

struct AllocationCount {
  std::size_t own = 0, own_bytes = 0;
  std::size_t onednn = 0, onednn_largest = 0;  // while a primitive executes; the largest in bytes
};

// Whether this build can count: the sanitizers replace malloc themselves.
bool can_count_allocations();

// Of the calling thread, from the construction on.
class AllocationScope {
 public:
  AllocationScope();
  ~AllocationScope();
  AllocationScope(const AllocationScope&) = delete;
  AllocationScope& operator=(const AllocationScope&) = delete;
  AllocationCount count() const;
};

}  // namespace actio::testing
