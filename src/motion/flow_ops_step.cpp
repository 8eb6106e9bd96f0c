#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "motion/flow_ops_step.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "motion/flow_ops.h"

HWY_BEFORE_NAMESPACE();
namespace actio::motion::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <bool kFlow, bool kDual, bool kChange>
void step(const StepRows& given, const StepWeights& weights) {
  const StepRows rows = given;  // a copy that the stores below cannot alias
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const V primal = hn::Set(d, weights.primal), limit = hn::Set(d, weights.limit), floor = hn::Set(d, -weights.limit);
  const V relax = hn::Set(d, weights.ahead), dual = hn::Set(d, weights.dual), keep = hn::Set(d, weights.keep);
  const V tiny = hn::Set(d, 1e-12F);
  const std::ptrdiff_t part = rows.stride;
  V change = hn::Zero(d);
  for (int x = 0; x < rows.width; x += lanes) {
    V ahead[2] = {hn::Zero(d), hn::Zero(d)}, above[2];
    for (int c = 0; c < 2; ++c) above[c] = hn::Load(d, rows.p_above + (2 * c + 1) * part + x);
    if constexpr (kFlow) {
      V lifted[2], old[2];
      for (int c = 0; c < 2; ++c) {
        const float* p = rows.p_from + 2 * c * part + x;
        const V along_x = hn::Sub(hn::Load(d, p), hn::LoadU(d, p - 1)), along_y = hn::Sub(hn::Load(d, p + part), above[c]);
        old[c] = hn::Load(d, rows.u_from + c * part + x);
        lifted[c] = hn::MulAdd(primal, hn::Add(along_x, along_y), old[c]);
      }
      const V slope[2] = {hn::Load(d, rows.data + part + x), hn::Load(d, rows.data + 2 * part + x)};
      const V rho = hn::MulAdd(slope[0], lifted[0], hn::MulAdd(slope[1], lifted[1], hn::Load(d, rows.data + x)));
      const V k = hn::Max(hn::Min(hn::Mul(rho, hn::Load(d, rows.data + 3 * part + x)), limit), floor);
      for (int c = 0; c < 2; ++c) {
        const V now = hn::NegMulAdd(k, slope[c], lifted[c]), moved = hn::Sub(now, old[c]);
        hn::Store(now, d, rows.u_to + c * part + x);
        ahead[c] = hn::MulAdd(relax, moved, now);
        if constexpr (kChange) {
          const V valid = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(rows.width - x)), moved);
          change = hn::MulAdd(valid, valid, change);
        }
      }
    }
    for (int c = 0; c < 2; ++c) {
      float* flow = rows.ahead + c * part + x;
      if constexpr (kDual) {
        const V here = hn::Load(d, flow), right = hn::LoadU(d, flow + 1);
        V py = above[c];
        if constexpr (kFlow) py = hn::MulAdd(dual, hn::Sub(ahead[c], here), py);
        const V px = hn::MulAdd(dual, hn::Sub(right, here), hn::Load(d, rows.p_above + 2 * c * part + x));
        const V scale = hn::Min(keep, hn::ApproximateReciprocalSqrt(hn::MulAdd(px, px, hn::MulAdd(py, py, tiny))));
        hn::Store(hn::Mul(px, scale), d, rows.p_to + 2 * c * part + x);
        hn::Store(hn::Mul(py, scale), d, rows.p_to + (2 * c + 1) * part + x);
      }
      if constexpr (kFlow) hn::Store(ahead[c], d, flow);
    }
  }
  if constexpr (kFlow) {  // no derivative across the right border
    for (int c = 0; c < 2; ++c) rows.ahead[c * part + rows.width] = rows.ahead[c * part + rows.width - 1];
  }
  if constexpr (kChange) *rows.change = hn::GetLane(hn::SumOfLanes(d, change));
}

void StepFirst(const StepRows& rows, const StepWeights& weights) {
  rows.change != nullptr ? step<true, false, true>(rows, weights) : step<true, false, false>(rows, weights);
}
void StepMiddle(const StepRows& rows, const StepWeights& weights) {
  rows.change != nullptr ? step<true, true, true>(rows, weights) : step<true, true, false>(rows, weights);
}
void StepLast(const StepRows& rows, const StepWeights& weights) { step<false, true, false>(rows, weights); }

}  // namespace actio::motion::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actio::motion {

HWY_EXPORT(StepFirst);
HWY_EXPORT(StepMiddle);
HWY_EXPORT(StepLast);

void step_rows(StepPart part, const StepRows& rows, const StepWeights& weights) {
  switch (part) {
    case StepPart::kFirstRow: HWY_DYNAMIC_DISPATCH(StepFirst)(rows, weights); break;
    case StepPart::kMiddleRow: HWY_DYNAMIC_DISPATCH(StepMiddle)(rows, weights); break;
    case StepPart::kLastRow: HWY_DYNAMIC_DISPATCH(StepLast)(rows, weights); break;
  }
}

// An odd number of cache lines, so that the parts of a row and the rows of a plane do not fall on the same sets of the
// cache.
std::ptrdiff_t part_stride(int width) {
  const std::ptrdiff_t lines = 1 + (width + 1 + kRowAlign - 1) / kRowAlign;
  return (lines | 1) * kRowAlign;
}

std::string flow_ops_target() {
  const std::int64_t best = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(best & -best);
}

}  // namespace actio::motion
#endif
