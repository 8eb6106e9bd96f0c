// core: content_hash() (core/file.h) of content that comes in parts. In: bytes in order. Out: the hash.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace actio {

class ContentHash {
 public:
  ContentHash();
  void add(std::span<const std::byte> part);
  std::string text() const;

 private:
  std::shared_ptr<void> state_;  // XXH3
};

}  // namespace actio
