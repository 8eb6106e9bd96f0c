// core: a set of texts that keeps 16 bytes of each, however long it is. In: texts. Out: whether one is in the set.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace actio {

// XXH3, 128 bit: that two texts of a set have the same is not to be expected. It guards against chance, not against forgery.
struct Digest {
  std::uint64_t high = 0, low = 0;

  auto operator<=>(const Digest&) const = default;
};

Digest digest_of(std::string_view text);

class DigestSet {
 public:
  void insert(std::string_view text);
  void erase(std::string_view text);
  bool contains(std::string_view text) const;
  std::size_t size() const { return size_; }

 private:
  std::size_t place_of(const Digest& digest) const;
  void grow();

  std::vector<Digest> places_;  // a power of two; each digest lies at its own place or behind it, without a gap; zeros are free
  std::size_t size_ = 0;
};

}  // namespace actio
