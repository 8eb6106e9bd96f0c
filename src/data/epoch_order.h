// data: the order in which an epoch goes through the clips. In: their classes, a seed and the epoch's number. Out: indices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace actio::data {

struct EpochOrder {
  bool shuffle = true;
  bool balanced = false;  // with shuffle: every class equally often; an epoch is as long as before, large classes miss some clips
  std::uint64_t seed = 1;
  std::int64_t epoch = 0;
};

// As many indices into `classes` as it has elements. Depends on the arguments only.
std::vector<std::size_t> epoch_order(const std::vector<std::int64_t>& classes, const EpochOrder& options);

}  // namespace actio::data
