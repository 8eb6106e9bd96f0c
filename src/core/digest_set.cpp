#include "core/digest_set.h"

#include <xxhash.h>

#include <utility>

namespace actio {
namespace {

constexpr std::size_t kFewest = 64;
constexpr Digest kFree;

}  // namespace

Digest digest_of(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  const Digest digest{hash.high64, hash.low64};
  return digest == kFree ? Digest{0, 1} : digest;
}

// Where it is, or the free place where it would be.
std::size_t DigestSet::place_of(const Digest& digest) const {
  const std::size_t mask = places_.size() - 1;
  std::size_t place = digest.low & mask;
  while (places_[place] != kFree && places_[place] != digest) place = (place + 1) & mask;
  return place;
}

void DigestSet::grow() {
  const std::vector<Digest> before = std::exchange(places_, std::vector<Digest>(places_.empty() ? kFewest : 2 * places_.size()));
  for (const Digest& digest : before) {
    if (digest != kFree) places_[place_of(digest)] = digest;
  }
}

void DigestSet::insert(std::string_view text) {
  if (4 * (size_ + 1) > 3 * places_.size()) grow();
  const Digest digest = digest_of(text);
  Digest& place = places_[place_of(digest)];
  if (place == kFree) ++size_;
  place = digest;
}

void DigestSet::erase(std::string_view text) {
  if (size_ == 0) return;
  const std::size_t mask = places_.size() - 1;
  std::size_t gap = place_of(digest_of(text));
  if (places_[gap] == kFree) return;
  --size_;
  // What lies behind moves up where a search for it would end at the gap.
  for (std::size_t next = (gap + 1) & mask; places_[next] != kFree; next = (next + 1) & mask) {
    const std::size_t home = places_[next].low & mask;
    if (((next - home) & mask) < ((next - gap) & mask)) continue;
    places_[gap] = places_[next];
    gap = next;
  }
  places_[gap] = kFree;
}

bool DigestSet::contains(std::string_view text) const { return size_ > 0 && places_[place_of(digest_of(text))] != kFree; }

}  // namespace actio
