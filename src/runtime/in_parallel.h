// runtime: work that falls into parts, on several threads. In: a number of parts and what to do with each. Out: nothing, or the first part's Error.
#pragma once

#include <cstddef>
#include <functional>

namespace actio::runtime {

// Each part once, the earlier ones first, on `threads` threads, of which the caller's is one. Throws: what the earliest part threw, after all.
void in_parallel(int threads, std::size_t parts, const std::function<void(std::size_t)>& part);

}  // namespace actio::runtime
