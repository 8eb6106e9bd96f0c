#include "runtime/arena.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace actio::runtime {
namespace {

struct Span {
  std::size_t begin, end;
};

// `taken` is sorted by its begins; spans may overlap each other.
std::size_t tightest_gap(const std::vector<Span>& taken, std::size_t bytes) {
  std::size_t best = 0, best_room = std::numeric_limits<std::size_t>::max(), free_from = 0;
  for (const Span& span : taken) {
    if (span.begin >= free_from + bytes && span.begin - free_from < best_room) {
      best = free_from;
      best_room = span.begin - free_from;
    }
    free_from = std::max(free_from, span.end);
  }
  return best_room == std::numeric_limits<std::size_t>::max() ? free_from : best;
}

}  // namespace

ArenaPlan plan_arena(const std::vector<Lifetime>& values, std::size_t alignment) {
  const auto rounded = [&](std::size_t i) { return (values[i].bytes + alignment - 1) / alignment * alignment; };
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return values[a].bytes > values[b].bytes; });

  ArenaPlan plan{std::vector<std::size_t>(values.size(), 0), 0};
  for (std::size_t placed = 0; placed < order.size(); ++placed) {
    const std::size_t i = order[placed];
    std::vector<Span> taken;
    for (std::size_t k = 0; k < placed; ++k) {
      const std::size_t other = order[k];
      if (values[other].last < values[i].first || values[i].last < values[other].first) continue;
      taken.push_back({plan.offsets[other], plan.offsets[other] + rounded(other)});
    }
    std::ranges::sort(taken, {}, &Span::begin);
    plan.offsets[i] = tightest_gap(taken, rounded(i));
    plan.bytes = std::max(plan.bytes, plan.offsets[i] + rounded(i));
  }
  return plan;
}

}  // namespace actio::runtime
