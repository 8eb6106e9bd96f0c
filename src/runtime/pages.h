// runtime: large blocks of memory for weights and values. In: a size. Out: a block that the system may back with huge pages,
// because walking a network's weights page by page costs several per cent of its time.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace actio::runtime {

using Block = std::shared_ptr<std::byte[]>;

constexpr std::size_t kBlockAlignment = 64;  // bytes

// Starts at a 64-byte boundary at least; the content is undefined. Throws: Error naming the size where memory is short.
Block allocate_block(std::size_t bytes);

// Hands out pieces of large blocks, which live as long as the pool.
class Pool {
 public:
  std::byte* allocate(std::size_t bytes);  // at a 64-byte boundary

 private:
  std::vector<Block> blocks_;
  std::size_t used_ = 0, size_ = 0;  // of the last block
};

}  // namespace actio::runtime
