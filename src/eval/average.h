// eval: what is averaged over the views of a clip and over the models of a fusion.
#pragma once

#include "core/names.h"

namespace actio {
namespace eval {

enum class Average { kProbabilities, kLogits };

}  // namespace eval

template <>
inline constexpr auto kNames<eval::Average> =
    NameTable<eval::Average, 2>{{{eval::Average::kProbabilities, "probabilities"}, {eval::Average::kLogits, "logits"}}};

}  // namespace actio
