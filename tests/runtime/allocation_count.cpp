// The program's own malloc and the like take precedence over the C library's, in this program and in the libraries that it
// loads; new comes to malloc. oneDNN's execution of a primitive is wrapped in the same way, to tell its allocations from
// actio's.
#include "allocation_count.h"

#include <dlfcn.h>

#include <algorithm>
#include <cerrno>

namespace actio::testing {
namespace {

thread_local constinit bool counting = false, in_onednn = false;
thread_local constinit AllocationCount counts;

[[maybe_unused]] void note(std::size_t bytes) {
  if (!counting) return;
  if (in_onednn) {
    ++counts.onednn;
    counts.onednn_largest = std::max(counts.onednn_largest, bytes);
  } else {
    ++counts.own;
    counts.own_bytes += bytes;
  }
}

}  // namespace

AllocationScope::AllocationScope() {
  counts = {};
  counting = true;
}
AllocationScope::~AllocationScope() { counting = false; }
AllocationCount AllocationScope::count() const { return counts; }

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
bool can_count_allocations() { return false; }
#else
bool can_count_allocations() { return true; }

// Hidden ones would not be found by the libraries.
#pragma GCC visibility push(default)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) {
  note(bytes);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t size) {
  note(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t bytes) {
  note(bytes);
  return __libc_realloc(block, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  note(bytes);
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  *block = memalign(alignment, bytes);
  return *block ? 0 : ENOMEM;
}

int dnnl_primitive_execute(const void* primitive, void* stream, int count, const void* arguments) {
  using Execute = int (*)(const void*, void*, int, const void*);
  static const auto execute = reinterpret_cast<Execute>(::dlsym(RTLD_NEXT, "dnnl_primitive_execute"));
  in_onednn = true;
  const int status = execute(primitive, stream, count, arguments);
  in_onednn = false;
  return status;
}
}
#pragma GCC visibility pop
#endif

}  // namespace actio::testing
