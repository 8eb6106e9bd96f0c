#include "runtime/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "core/error.h"

namespace actio::runtime {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;
constexpr std::size_t kPoolBlock = std::size_t{1} << 25;  // what is not touched costs no memory

}  // namespace

Block allocate_block(std::size_t bytes) {
  const std::align_val_t alignment{bytes >= kHugePage ? kHugePage : kBlockAlignment};
  auto* memory = static_cast<std::byte*>(::operator new[](std::max(bytes, kBlockAlignment), alignment, std::nothrow));
  if (!memory) fail("no memory for {} bytes of the network's values or weights", bytes);
  if (bytes >= kHugePage) ::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // a hint: it may be refused
  return {memory, [alignment](std::byte* p) { ::operator delete[](p, alignment); }};
}

std::byte* Pool::allocate(std::size_t bytes) {
  const std::size_t rounded = (bytes + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;
  if (size_ - used_ < rounded) {
    size_ = std::max(rounded, kPoolBlock);
    used_ = 0;
    blocks_.push_back(allocate_block(size_));
  }
  std::byte* piece = blocks_.back().get() + used_;
  used_ += rounded;
  return piece;
}

}  // namespace actio::runtime
