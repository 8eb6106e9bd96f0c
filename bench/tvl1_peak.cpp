#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tvl1_peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef ACTIO_TVL1_PEAK_ONCE
#define ACTIO_TVL1_PEAK_ONCE
#include <algorithm>
#include <chrono>
#include <cstddef>

#include "tvl1_peak.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace actio::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// 6 chains of `count` multiply-adds and 6 of additions, which the step of the flow needs in nearly equal parts; returns the
// number of lane operations.
double Arithmetic(int count, float seed, float* out) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const V factor = hn::Set(d, 0.999F), term = hn::Set(d, seed);
  V a = hn::Set(d, seed + 1), b = hn::Set(d, seed + 2), c = hn::Set(d, seed + 3), e = hn::Set(d, seed + 4);
  V f = hn::Set(d, seed + 5), g = hn::Set(d, seed + 6), h = hn::Set(d, seed + 7), i = hn::Set(d, seed + 8);
  V j = hn::Set(d, seed + 9), k = hn::Set(d, seed + 10), l = hn::Set(d, seed + 11), m = hn::Set(d, seed + 12);
  for (int n = 0; n < count; ++n) {
    a = hn::MulAdd(a, factor, term);
    b = hn::MulAdd(b, factor, term);
    c = hn::MulAdd(c, factor, term);
    e = hn::MulAdd(e, factor, term);
    f = hn::MulAdd(f, factor, term);
    g = hn::MulAdd(g, factor, term);
    h = hn::Add(h, term);
    i = hn::Add(i, term);
    j = hn::Add(j, term);
    k = hn::Add(k, term);
    l = hn::Add(l, term);
    m = hn::Add(m, term);
  }
  const V first = hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(hn::Add(f, g), hn::Add(h, i)));
  hn::StoreU(hn::Add(first, hn::Add(hn::Add(j, k), hn::Add(l, m))), d, out);
  return 12.0 * count * static_cast<double>(hn::Lanes(d));
}

// 20 source rows to 8 target rows, all `stride` floats apart.
void LoadStore(const float* from, float* to, int width, std::ptrdiff_t stride) {
  const hn::ScalableTag<float> d;
  for (int x = 0; x < width; x += static_cast<int>(hn::Lanes(d))) {
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) {
      auto sum = hn::Add(hn::Load(d, from + (2 * k) * stride + x), hn::Load(d, from + (2 * k + 1) * stride + x));
      if (k < 4) sum = hn::Add(sum, hn::Load(d, from + (16 + k) * stride + x));
      hn::Store(sum, d, to + k * stride + x);
    }
  }
}

}  // namespace actio::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actio::bench {

HWY_EXPORT(Arithmetic);
HWY_EXPORT(LoadStore);

namespace {

template <typename Work>
double best_ns(Work work) {
  double best = 1e300;
  for (int trial = 0; trial < 20; ++trial) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

double peak_lane_operations_per_ns() {
  alignas(64) float sink[64];
  double operations = 0;
  const double ns = best_ns([&] { operations = HWY_DYNAMIC_DISPATCH(Arithmetic)(200000, 1.0F, sink); });
  return operations / ns;
}

double load_store_ns_per_pixel(int width) {
  constexpr int kRepeats = 2000;
  const std::ptrdiff_t stride = (width + 15) / 16 * 16 + 16;
  auto* memory =
      static_cast<float*>(::operator new[](static_cast<std::size_t>(28 * stride) * sizeof(float), std::align_val_t{64}));
  std::fill_n(memory, 28 * stride, 1.0F);
  const double ns = best_ns([&] {
    for (int i = 0; i < kRepeats; ++i) HWY_DYNAMIC_DISPATCH(LoadStore)(memory, memory + 20 * stride, width, stride);
  });
  ::operator delete[](memory, std::align_val_t{64});
  return ns / kRepeats / width;
}

}  // namespace actio::bench
#endif
