#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/resample_ops.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "data/resample_ops.h"

HWY_BEFORE_NAMESPACE();
namespace actio::data::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// One output at a time, of a vector with one lane, and the others alike.
template <class D>
void WeighColumnsAt(D d, const float* row, const ColumnTaps& taps, float scale, float offset, std::int64_t x, float* out) {
  const hn::RebindToSigned<D> di;
  const auto first = hn::LoadU(di, taps.first + x);
  auto sum = hn::Zero(d);
  for (std::int64_t t = 0; t < taps.taps; ++t) {
    const auto sample = hn::GatherIndex(d, row + t * taps.step, first);
    sum = hn::Add(sum, hn::Mul(hn::LoadU(d, taps.weight + t * taps.size + x), sample));
  }
  hn::StoreU(hn::Add(hn::Mul(sum, hn::Set(d, scale)), hn::Set(d, offset)), d, out + x);
}

void WeighColumns(const float* row, const ColumnTaps& taps, float scale, float offset, float* out) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t x = 0;
  for (; x + lanes <= taps.size; x += lanes) WeighColumnsAt(d, row, taps, scale, offset, x, out);
  for (; x < taps.size; ++x) WeighColumnsAt(hn::CappedTag<float, 1>(), row, taps, scale, offset, x, out);
}

}  // namespace actio::data::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actio::data {

HWY_EXPORT(WeighColumns);

void weigh_columns(const float* row, const ColumnTaps& taps, float scale, float offset, float* out) {
  HWY_DYNAMIC_DISPATCH(WeighColumns)(row, taps, scale, offset, out);
}

}  // namespace actio::data
#endif
