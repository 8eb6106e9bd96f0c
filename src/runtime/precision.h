// runtime: what a network may be computed in. In: a user's word and a model's ranges. Out: what backends are made with.
#pragma once

#include <string>
#include <string_view>

#include "core/names.h"
#include "net/quantization.h"

namespace actio {
namespace runtime {

enum class Precision { kAuto, kF32, kBf16, kInt8 };

// What a backend computes where `asked` is "auto": the fastest on this processor of what the model was measured to bear; f32 where nothing was.
// Otherwise `asked`. Throws: as backend_named. Threads: safe.
Precision chosen_precision(Precision asked, const net::Quantization& quantization, std::string_view backend);

// Throws: Error(kUsage), `name` first, for int8 where no ranges were measured.
void require_ranges(Precision precision, const net::Quantization& quantization, const std::string& name);

// Whether products of 8 bits are summed in 32 bits (VNNI): if not, weights have 7 bits. Threads: safe.
bool has_8bit_dot();
std::string processor_text();  // "AVX-512 with VNNI": the instructions that networks are computed with
std::string engine_text();     // "oneDNN 2.6.3"

struct Numerics {
  Precision precision = Precision::kF32;
  net::Ranges ranges = {};      // of values, for int8; what has none is computed in f32
  bool narrow_weights = false;  // of 7 bits even where the processor could take 8
};

// What became of an op, and why it is not what was asked for.
struct OpRecord {
  std::string node;
  net::Op op = net::Op::kConv2d;
  Precision precision = Precision::kF32;
  std::string reason;  // empty where it is
};

}  // namespace runtime

template <>
inline constexpr auto kNames<runtime::Precision> =
    NameTable<runtime::Precision, 4>{{{runtime::Precision::kAuto, "auto"},
                                      {runtime::Precision::kF32, "f32"},
                                      {runtime::Precision::kBf16, "bf16"},
                                      {runtime::Precision::kInt8, "int8"}}};

}  // namespace actio
