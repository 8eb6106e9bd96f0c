#include "runtime/batch_sizes.h"

namespace actio::runtime {

std::vector<std::int64_t> batch_sizes(std::int64_t at_once, std::int64_t per_clip) {
  std::vector<std::int64_t> sizes;
  if (at_once > 1) sizes.push_back(at_once);
  if (const std::int64_t rest = per_clip % at_once; rest > 1) sizes.push_back(rest);
  sizes.push_back(1);
  return sizes;
}

}  // namespace actio::runtime
