// runtime: for which numbers of rows a piece of a network is compiled. In: how many rows are best at once. Out: a few sizes
// that any number of rows is split into, so that nothing is compiled once a network runs.
#pragma once

#include <cstdint>
#include <vector>

namespace actio::runtime {

// Falling, the last one is 1: `at_once`, what it leaves of a clip of `per_clip` rows, and the single row of a stream.
std::vector<std::int64_t> batch_sizes(std::int64_t at_once, std::int64_t per_clip);

}  // namespace actio::runtime
