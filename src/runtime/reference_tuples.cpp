#include "runtime/reference_ops.h"

namespace actio::runtime {

void reference_time_tuples(const OpCall& call) {
  const std::int64_t features = call.inputs[0].shape[0], times = call.inputs[0].shape[1];
  const std::int64_t length = call.node.attrs.kernel[1], tuples = call.out_shape[1];
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const float* in = call.inputs[0].data + row * features * times;
    float* out = call.out + row * features * length * tuples;
    for (std::int64_t t = 0; t < tuples; ++t) {
      for (std::int64_t i = 0; i < length; ++i) {
        const std::int64_t column = call.node.attrs.indices[static_cast<std::size_t>(t * length + i)];
        for (std::int64_t c = 0; c < features; ++c) out[(i * features + c) * tuples + t] = in[c * times + column];
      }
    }
  }
}

}  // namespace actio::runtime
