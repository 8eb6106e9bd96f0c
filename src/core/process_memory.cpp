#include "core/process_memory.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace actio {

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kMebi = 1 << 20;
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") || std::getenv("MALLOC_TRIM_THRESHOLD_") || std::getenv("GLIBC_TUNABLES"))
    return;
  mallopt(M_MMAP_THRESHOLD, 16 * kMebi);
  mallopt(M_TRIM_THRESHOLD, 64 * kMebi);
#endif
}

}  // namespace actio
