#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "motion/flow_ops_resize.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "motion/flow_ops.h"

HWY_BEFORE_NAMESPACE();
namespace actio::motion::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void BytesToFloats(const std::uint8_t* from, int count, float* to) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  const int lanes = static_cast<int>(hn::Lanes(d));
  int x = 0;
  for (; x + lanes <= count; x += lanes) hn::Store(hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, from + x))), d, to + x);
  for (; x < count; ++x) to[x] = static_cast<float>(from[x]);
}

void ResizeRowOf(const ResizeRow& row, float* out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const auto fy = hn::Set(d, row.fy), gain = hn::Set(d, row.gain);
  for (int x = 0; x < row.from_width; x += lanes) {
    const auto top = hn::Load(d, row.top + x), bottom = hn::Load(d, row.bottom + x);
    hn::Store(hn::Mul(gain, hn::MulAdd(fy, hn::Sub(bottom, top), top)), d, row.scratch + x);
  }
  row.scratch[row.from_width] = row.scratch[row.from_width - 1];
  for (int x = 0; x < row.to_width; x += lanes) {
    const auto index = hn::Load(di, row.left + x);
    const auto left = hn::GatherIndex(d, row.scratch, index), right = hn::GatherIndex(d, row.scratch + 1, index);
    hn::Store(hn::MulAdd(hn::Load(d, row.fx + x), hn::Sub(right, left), left), d, out + x);
  }
}

}  // namespace actio::motion::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actio::motion {

HWY_EXPORT(BytesToFloats);
HWY_EXPORT(ResizeRowOf);

void bytes_to_floats(const std::uint8_t* from, int count, float* to) {
  HWY_DYNAMIC_DISPATCH(BytesToFloats)(from, count, to);
}
void resize_row(const ResizeRow& row, float* out) { HWY_DYNAMIC_DISPATCH(ResizeRowOf)(row, out); }

}  // namespace actio::motion
#endif
