#include "openvino/levels.h"

#include "runtime/quantize_values.h"

namespace actio::openvino {

Levels levels_of(const net::Range& range, std::size_t rank) {
  const runtime::IntType type = runtime::int_type_of(range);
  const float low = type.is_signed ? -128 * type.scale : 0, high = (type.is_signed ? 127 : 255) * type.scale;
  return {Sizes(rank, 1), {low}, {high}};
}

Levels levels_of(const std::vector<float>& scales, const Shape& weight, std::int64_t groups) {
  Levels levels{Sizes(weight.size(), 1), {}, {}, 255};
  levels.sizes[0] = weight[0];
  if (groups > 1) levels.sizes[1] = weight[1];
  for (const float scale : scales) {
    levels.low.push_back(-127 * scale);
    levels.high.push_back(127 * scale);
  }
  return levels;
}

}  // namespace actio::openvino
