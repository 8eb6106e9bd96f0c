#include "runtime/precision.h"

#include <algorithm>

#include "core/error.h"
#include "runtime/backends.h"
#include "runtime/onednn_compat.h"

namespace actio::runtime {

Precision chosen_precision(Precision asked, const net::Quantization& quantization, std::string_view backend) {
  if (asked != Precision::kAuto) return asked;
  if (!backend_named(backend).takes_auto) return Precision::kF32;
  const auto bears = [&](Precision precision) { return std::ranges::find(quantization.borne, name_of(precision)) != quantization.borne.end(); };
  if (bears(Precision::kInt8)) return Precision::kInt8;
  return bears(Precision::kBf16) && quick_types().fast_bf16 ? Precision::kBf16 : Precision::kF32;
}

void require_ranges(Precision precision, const net::Quantization& quantization, const std::string& name) {
  if (precision != Precision::kInt8 || !quantization.empty()) return;
  fail_usage("{}: precision int8: how far the network's values reach was not measured; 'actio quantize' does", name);
}

bool has_8bit_dot() { return quick_types().dot8; }

std::string engine_text() {
  const dnnl::version_t* version = dnnl::version();
  return fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch);
}

std::string processor_text() {
  const QuickTypes quick = quick_types();
  std::string text = quick.width == 512 ? "AVX-512" : quick.width == 256 ? "AVX2" : "no AVX2";
  if (quick.dot8) text += quick.bf16 ? " with VNNI and bf16" : " with VNNI";
  return text;
}

}  // namespace actio::runtime
