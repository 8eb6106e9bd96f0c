// runtime: what a network may be computed in.
#pragma once

#include "core/names.h"

namespace actio {
namespace runtime {

enum class Precision { kF32, kBf16 };

}  // namespace runtime

template <>
inline constexpr auto kNames<runtime::Precision> =
    NameTable<runtime::Precision, 2>{{{runtime::Precision::kF32, "f32"}, {runtime::Precision::kBf16, "bf16"}}};

}  // namespace actio
