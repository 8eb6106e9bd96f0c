// torch: divides rows into parts that threads take. In: a count. Out: ranges that do not depend on the number of threads, so
// that sums over them do not either.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>

#ifndef INTRA_OP_PARALLEL
#error "at::parallel_for would use one thread only: compile with OpenMP"
#endif

namespace actio::torch_train {

struct RowChunks {
  explicit RowChunks(std::int64_t row_count) : rows(row_count), count(std::clamp<std::int64_t>(row_count / 16, 1, 32)) {}

  std::int64_t first(std::int64_t chunk) const { return rows * chunk / count; }
  std::int64_t size(std::int64_t chunk) const { return first(chunk + 1) - first(chunk); }

  std::int64_t rows;
  std::int64_t count;
};

}  // namespace actio::torch_train
