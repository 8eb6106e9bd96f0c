#include "core/process_memory.h"

#include <cstdlib>
#include <limits>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace actio {
namespace {

void keep_blocks([[maybe_unused]] int largest, [[maybe_unused]] int in_all) {
#ifdef __GLIBC__
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") || std::getenv("MALLOC_TRIM_THRESHOLD_") || std::getenv("GLIBC_TUNABLES"))
    return;
  mallopt(M_MMAP_THRESHOLD, largest);
  mallopt(M_TRIM_THRESHOLD, in_all);
#endif
}

}  // namespace

void keep_freed_memory() {
  constexpr int kMebi = 1 << 20;
  keep_blocks(16 * kMebi, 64 * kMebi);
}

void keep_all_freed_memory() { keep_blocks(std::numeric_limits<int>::max(), std::numeric_limits<int>::max()); }

}  // namespace actio
