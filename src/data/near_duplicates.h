// data: clips that show the same pictures at the same places of their time: copies that were encoded or scaled anew. In:
// glimpses. Out: pairs.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "data/glimpse.h"

namespace actio::data {

struct GlimpsePair {
  std::size_t first = 0, second = 0;  // clips
  double difference = 0;              // of the two where they differ most, grey levels; as `difference`
};

// Whether both can be told from others, all three pictures agree, and so does what changes between them: the same place
// filmed twice looks the same but for what moves in it. Where next to nothing moves, the pictures have to agree the more.
bool are_alike(const Glimpse& a, const Glimpse& b);

// The largest difference of any block of 4 x 3 of the small pictures, in all three of them, once brightness and contrast are
// made the same. Units: grey levels.
double difference(const Glimpse& a, const Glimpse& b);

// Every two that are alike, in order. Every pair's hashes are compared: 13,000 clips take a second. Ends early on `stop`.
std::vector<GlimpsePair> near_duplicates(std::span<const Glimpse* const> glimpses, const std::stop_token& stop = {});

}  // namespace actio::data
