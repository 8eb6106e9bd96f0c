#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "motion/flow_ops_warp.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "motion/flow_ops.h"

HWY_BEFORE_NAMESPACE();
namespace actio::motion::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int kMaxLanes = HWY_MAX_BYTES / 4;

// Weights of the four taps at -1, 0, 1, 2 around a place `t` after tap 0: value[4] by Catmull-Rom, slope[4] its derivative.
template <class D, class V = hn::Vec<D>>
void tap_weights(D d, V t, V* value, V* slope) {
  const V one = hn::Set(d, 1.0F), half = hn::Set(d, 0.5F), t2 = hn::Mul(t, t);
  // value: (-t + 2t^2 - t^3) / 2, (2 - 5t^2 + 3t^3) / 2, (t + 4t^2 - 3t^3) / 2, (t^3 - t^2) / 2
  const V t3 = hn::Mul(t2, t), two = hn::Set(d, 2.0F), three = hn::Set(d, 3.0F), four = hn::Set(d, 4.0F),
          five = hn::Set(d, 5.0F);
  value[0] = hn::Mul(half, hn::Sub(hn::Sub(hn::Mul(two, t2), t3), t));
  value[1] = hn::Mul(half, hn::MulAdd(three, t3, hn::NegMulAdd(five, t2, two)));
  value[2] = hn::Mul(half, hn::NegMulAdd(three, t3, hn::MulAdd(four, t2, t)));
  value[3] = hn::Mul(half, hn::Sub(t3, t2));
#if defined(SLOPE_CUBIC)
  const V nine = hn::Set(d, 9.0F), ten = hn::Set(d, 10.0F), eight = hn::Set(d, 8.0F);
  slope[0] = hn::Mul(half, hn::Sub(hn::NegMulAdd(three, t2, hn::Mul(four, t)), one));
  slope[1] = hn::Mul(half, hn::NegMulAdd(ten, t, hn::Mul(nine, t2)));
  slope[2] = hn::Mul(half, hn::Add(one, hn::NegMulAdd(nine, t2, hn::Mul(eight, t))));
  slope[3] = hn::Mul(half, hn::NegMulAdd(two, t, hn::Mul(three, t2)));
#else
  slope[0] = hn::Mul(half, hn::Sub(t, one));
  slope[1] = hn::Mul(half, hn::Neg(t));
  slope[2] = hn::Neg(slope[0]);
  slope[3] = hn::Neg(slope[1]);
#endif
}

// The four columns around one pixel, each summed over four rows with the weights of value and of slope.
inline void sum_rows(const float* corner, std::ptrdiff_t stride, const float* value, const float* slope, float* by_value,
                     float* by_slope) {
#if HWY_TARGET == HWY_SCALAR
  for (int j = 0; j < 4; ++j) {
    by_value[j] = by_slope[j] = 0;
    for (int k = 0; k < 4; ++k) {
      by_value[j] += corner[k * stride + j] * value[k * kMaxLanes];
      by_slope[j] += corner[k * stride + j] * slope[k * kMaxLanes];
    }
  }
#else
  const hn::FixedTag<float, 4> d4;
  const auto row0 = hn::LoadU(d4, corner), row1 = hn::LoadU(d4, corner + stride);
  const auto row2 = hn::LoadU(d4, corner + 2 * stride), row3 = hn::LoadU(d4, corner + 3 * stride);
  const auto sum = [&](const float* w) HWY_ATTR {
    const auto low = hn::MulAdd(row1, hn::Set(d4, w[kMaxLanes]), hn::Mul(row0, hn::Set(d4, w[0])));
    return hn::MulAdd(row3, hn::Set(d4, w[3 * kMaxLanes]), hn::MulAdd(row2, hn::Set(d4, w[2 * kMaxLanes]), low));
  };
  hn::Store(sum(value), d4, by_value);
  hn::Store(sum(slope), d4, by_slope);
#endif
}

void LineariseRow(const WarpRow& row) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  using V = hn::Vec<decltype(d)>;
  const int lanes = static_cast<int>(hn::Lanes(d)), width = row.second.width, height = row.second.height;
  const std::ptrdiff_t part = row.second.stride;
  alignas(64) std::int32_t corner[kMaxLanes];
  alignas(64) float value_y[4 * kMaxLanes], slope_y[4 * kMaxLanes], by_value[4 * kMaxLanes], by_slope[4 * kMaxLanes];
  const V zero = hn::Zero(d), right = hn::Set(d, static_cast<float>(width - 1)),
          bottom = hn::Set(d, static_cast<float>(height - 1));
  const auto last_x = hn::Set(di, width - 2), last_y = hn::Set(di, height - 2);
  const float* origin = row.second.data - part - 1;
  for (int x = 0; x < width; x += lanes) {
    const V u = hn::Load(d, row.u + x), v = hn::Load(d, row.u + part + x);
    const V px = hn::Add(hn::Iota(d, static_cast<float>(x)), u), py = hn::Add(hn::Set(d, static_cast<float>(row.y)), v);
    const auto inside = hn::And(hn::And(hn::Ge(px, zero), hn::Le(px, right)), hn::And(hn::Ge(py, zero), hn::Le(py, bottom)));
    const V cx = hn::Max(hn::Min(px, right), zero), cy = hn::Max(hn::Min(py, bottom), zero);
    const auto ix = hn::Min(hn::ConvertTo(di, cx), last_x), iy = hn::Min(hn::ConvertTo(di, cy), last_y);
    const V tx = hn::Sub(cx, hn::ConvertTo(d, ix)), ty = hn::Sub(cy, hn::ConvertTo(d, iy));
    hn::Store(hn::Add(hn::Mul(iy, hn::Set(di, static_cast<std::int32_t>(part))), ix), di, corner);
    V value[4], slope[4];
    tap_weights(d, ty, value, slope);
    for (int k = 0; k < 4; ++k) {
      hn::Store(value[k], d, value_y + k * kMaxLanes);
      hn::Store(slope[k], d, slope_y + k * kMaxLanes);
    }
    for (int i = 0; i < lanes; ++i)
      sum_rows(origin + corner[i], part, value_y + i, slope_y + i, by_value + 4 * i, by_slope + 4 * i);
    V a[4], b[4];
    hn::LoadInterleaved4(d, by_value, a[0], a[1], a[2], a[3]);
    hn::LoadInterleaved4(d, by_slope, b[0], b[1], b[2], b[3]);
    tap_weights(d, tx, value, slope);
    const auto dot = [&](const V* weights, const V* columns) HWY_ATTR {
      return hn::MulAdd(
          weights[3], columns[3],
          hn::MulAdd(weights[2], columns[2], hn::MulAdd(weights[1], columns[1], hn::Mul(weights[0], columns[0]))));
    };
    const V grey = dot(value, a);
    const V dx = hn::IfThenElseZero(inside, dot(slope, a)), dy = hn::IfThenElseZero(inside, dot(value, b));
    const V rho = hn::NegMulAdd(dx, u, hn::NegMulAdd(dy, v, hn::Sub(grey, hn::Load(d, row.first + x))));
    const V norm = hn::MulAdd(dx, dx, hn::MulAdd(dy, dy, hn::Set(d, 1e-9F)));
    hn::Store(hn::IfThenElseZero(inside, rho), d, row.out + x);
    hn::Store(dx, d, row.out + part + x);
    hn::Store(dy, d, row.out + 2 * part + x);
    hn::Store(hn::Div(hn::Set(d, row.gain), norm), d, row.out + 3 * part + x);
  }
}

}  // namespace actio::motion::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actio::motion {

HWY_EXPORT(LineariseRow);

void linearise_row(const WarpRow& row) { HWY_DYNAMIC_DISPATCH(LineariseRow)(row); }

}  // namespace actio::motion
#endif
