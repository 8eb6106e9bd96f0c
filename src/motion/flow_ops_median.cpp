#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "motion/flow_ops_median.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "motion/flow_ops.h"

HWY_BEFORE_NAMESPACE();
namespace actio::motion::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class V>
HWY_INLINE void order(V& low, V& high) {
  const V least = hn::Min(low, high);
  high = hn::Max(low, high);
  low = least;
}

template <class V>
HWY_INLINE void sort_three(V* v) {
  order(v[0], v[2]);
  order(v[0], v[1]);
  order(v[1], v[2]);
}

template <class V>
HWY_INLINE void sort_five(V* v) {
  order(v[0], v[3]);
  order(v[1], v[4]);
  order(v[0], v[2]);
  order(v[1], v[3]);
  order(v[0], v[1]);
  order(v[2], v[4]);
  order(v[1], v[2]);
  order(v[3], v[4]);
  order(v[2], v[3]);
}

// The median of 9 values in 3 sorted columns; v[3 i + j] is the i-th smallest of column j.
template <class V>
HWY_INLINE V median_of_columns_3(V* v) {
  const V low = hn::Max(hn::Max(v[0], v[1]), v[2]), high = hn::Min(hn::Min(v[6], v[7]), v[8]);
  sort_three(v + 3);
  V middle[3] = {low, v[4], high};
  sort_three(middle);
  return middle[1];
}

// The median of 25 values in 5 sorted columns; v[5 i + j] is the i-th smallest of column j. Each rank is sorted over the
// columns; after that only the 13 values that can be the median go on, by a sorting network without the exchanges that, by
// trial of all 6^5 fillings with zeros and ones, do not change its middle output.
template <class V>
HWY_INLINE V median_of_columns_5(V* v) {
  constexpr int kExchanges[][2] = {
      {0, 3},   {0, 2},   {1, 3},   {2, 4},   {1, 2},   {3, 4},   {2, 3},   {5, 8},   {5, 7},   {6, 8},   {5, 6},   {7, 9},
      {6, 7},   {8, 9},   {7, 8},   {10, 13}, {11, 14}, {10, 12}, {11, 13}, {10, 11}, {12, 14}, {11, 12}, {13, 14}, {15, 18},
      {16, 19}, {15, 17}, {16, 18}, {15, 16}, {17, 19}, {16, 17}, {17, 18}, {20, 23}, {21, 24}, {20, 22}, {21, 23}, {20, 21},
      {22, 24}, {21, 22}, {11, 3},  {7, 15},  {20, 16}, {8, 4},   {9, 21},  {3, 15},  {20, 8},  {16, 4},  {12, 9},  {12, 13},
      {15, 16}, {9, 13},  {16, 8},  {17, 9},  {16, 17}, {15, 16}, {8, 12},  {16, 8}};
#pragma GCC unroll 64
  for (const auto& pair : kExchanges) order(v[pair[0]], v[pair[1]]);
  return v[8];
}

template <int kSide>
void median(const float* const* rows, int width, float* scratch, float* out) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const int lanes = static_cast<int>(hn::Lanes(d));
  constexpr int kReach = kSide / 2;
  const std::ptrdiff_t stride = part_stride(width);
  float* sorted = scratch + kRowAlign;
  for (int x = 0; x < width; x += lanes) {
    V column[kSide];
    for (int k = 0; k < kSide; ++k) column[k] = hn::Load(d, rows[k] + x);
    if constexpr (kSide == 5) {
      sort_five(column);
    } else {
      sort_three(column);
    }
    for (int k = 0; k < kSide; ++k) hn::Store(column[k], d, sorted + k * stride + x);
  }
  for (int k = 0; k < kSide; ++k) {
    float* rank = sorted + k * stride;
    for (int i = 1; i <= kReach; ++i) {
      rank[-i] = rank[0];
      rank[width - 1 + i] = rank[width - 1];
    }
  }
  for (int x = 0; x < width; x += lanes) {
    V v[kSide * kSide];
    for (int k = 0; k < kSide; ++k) {
      for (int j = 0; j < kSide; ++j) v[k * kSide + j] = hn::LoadU(d, sorted + k * stride + x + j - kReach);
    }
    if constexpr (kSide == 5) {
      hn::Store(median_of_columns_5(v), d, out + x);
    } else {
      hn::Store(median_of_columns_3(v), d, out + x);
    }
  }
}

void MedianRow3(const float* const* rows, int width, float* scratch, float* out) { median<3>(rows, width, scratch, out); }
void MedianRow5(const float* const* rows, int width, float* scratch, float* out) { median<5>(rows, width, scratch, out); }

}  // namespace actio::motion::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actio::motion {

HWY_EXPORT(MedianRow3);
HWY_EXPORT(MedianRow5);

void median_row(const float* const* rows, int side, int width, float* scratch, float* out) {
  if (side == 5) {
    HWY_DYNAMIC_DISPATCH(MedianRow5)(rows, width, scratch, out);
  } else {
    HWY_DYNAMIC_DISPATCH(MedianRow3)(rows, width, scratch, out);
  }
}

}  // namespace actio::motion
#endif
