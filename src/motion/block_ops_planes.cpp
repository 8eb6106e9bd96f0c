#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "motion/block_ops_planes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "motion/block_ops.h"

HWY_BEFORE_NAMESPACE();
namespace actio::motion::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using DWords = hn::ScalableTag<std::int16_t>;
using DBytes = hn::Rebind<std::uint8_t, DWords>;
using Words = hn::Vec<DWords>;

HWY_INLINE Words LoadPixels(const std::uint8_t* from) { return hn::PromoteTo(DWords(), hn::LoadU(DBytes(), from)); }

// outer - 5 middle + 20 inner, which are the sums of taps at equal distance.
HWY_INLINE Words SixTaps(Words outer, Words middle, Words inner) {
  const Words folded = hn::Sub(hn::ShiftLeft<2>(inner), middle);
  return hn::Add(outer, hn::Add(folded, hn::ShiftLeft<2>(folded)));
}

HWY_INLINE void StorePixels(Words sum, std::uint8_t* to) {  // sum: 32 times the pixels
  hn::StoreU(hn::DemoteTo(DBytes(), hn::ShiftRight<5>(hn::Add(sum, hn::Set(DWords(), 16)))), DBytes(), to);
}

void HalfPixelRowOf(const HalfPixelRow& row) {
  const DWords d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const std::ptrdiff_t stride = row.stride;
  for (int x = 0; x < row.width; x += lanes) {
    const std::uint8_t* p = row.from + x;
    const Words here = LoadPixels(p);
    StorePixels(SixTaps(hn::Add(LoadPixels(p - 2), LoadPixels(p + 3)), hn::Add(LoadPixels(p - 1), LoadPixels(p + 2)),
                        hn::Add(here, LoadPixels(p + 1))),
                row.right + x);
    const Words down =
        SixTaps(hn::Add(LoadPixels(p - 2 * stride), LoadPixels(p + 3 * stride)),
                hn::Add(LoadPixels(p - stride), LoadPixels(p + 2 * stride)), hn::Add(here, LoadPixels(p + stride)));
    StorePixels(down, row.down + x);
    hn::StoreU(hn::ShiftRight<1>(down), d, row.scratch + kScratchMargin + x);  // halved: the sums below fit in 16 bits
  }
  for (int x = 0; x < row.width; x += lanes) {
    const auto pair = [&](int left) HWY_ATTR {
      const std::int16_t* p = row.scratch + kScratchMargin + x;
      return hn::Add(hn::LoadU(d, p + left), hn::LoadU(d, p + 1 - left));
    };
    // The six taps by 16, in steps that do not overflow; with the halves above that leaves 32 times the pixels.
    const Words inner = pair(0), middle = pair(-1), outer = pair(-2);
    const Words fine = hn::ShiftRight<2>(hn::Sub(outer, middle));
    StorePixels(hn::Add(hn::ShiftRight<2>(hn::Add(hn::Sub(fine, middle), inner)), inner), row.both + x);
  }
}

void QuarterSizeRowOf(const std::uint8_t* from, std::ptrdiff_t stride, int width, std::uint16_t* scratch,
                      std::uint8_t* out) {
  const hn::ScalableTag<std::uint16_t> d;
  const hn::Rebind<std::uint8_t, decltype(d)> d_bytes;
  const int lanes = static_cast<int>(hn::Lanes(d)), columns = 4 * width;
  const auto pixels = [&](const std::uint8_t* p) HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(d_bytes, p)); };
  int x = 0;
  for (; x + lanes <= columns; x += lanes) {
    const std::uint8_t* p = from + x;
    const auto sum =
        hn::Add(hn::Add(pixels(p), pixels(p + stride)), hn::Add(pixels(p + 2 * stride), pixels(p + 3 * stride)));
    hn::StoreU(sum, d, scratch + x);
  }
  for (; x < columns; ++x) {
    const std::uint8_t* p = from + x;
    scratch[x] = static_cast<std::uint16_t>(p[0] + p[stride] + p[2 * stride] + p[3 * stride]);
  }
  for (int i = 0; i < width; i += lanes) {
    hn::Vec<decltype(d)> a, b, c, e;
    hn::LoadInterleaved4(d, scratch + std::ptrdiff_t{4} * i, a, b, c, e);
    const auto mean = hn::ShiftRight<4>(hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Set(d, 8)));
    hn::StoreU(hn::DemoteTo(d_bytes, hn::BitCast(DWords(), mean)), d_bytes, out + i);
  }
}

}  // namespace actio::motion::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actio::motion {

HWY_EXPORT(HalfPixelRowOf);
HWY_EXPORT(QuarterSizeRowOf);

void half_pixel_row(const HalfPixelRow& row) { HWY_DYNAMIC_DISPATCH(HalfPixelRowOf)(row); }
void quarter_size_row(const std::uint8_t* from, std::ptrdiff_t stride, int width, std::uint16_t* scratch,
                      std::uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(QuarterSizeRowOf)(from, stride, width, scratch, out);
}

}  // namespace actio::motion
#endif
