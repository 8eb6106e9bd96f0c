#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "motion/block_ops_sad.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstdlib>

#include "motion/block_ops.h"

HWY_BEFORE_NAMESPACE();
namespace actio::motion::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

template <bool kMean>
std::uint32_t PlainDifferences(const std::uint8_t* block, std::ptrdiff_t block_stride, const CandidateBlocks& candidates,
                               int candidate, std::ptrdiff_t offset) {
  const std::uint8_t* first = candidates.first[candidate] + offset;
  const std::uint8_t* second = (kMean ? candidates.second : candidates.first)[candidate] + offset;
  std::uint32_t sum = 0;
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) {
      const std::ptrdiff_t at = y * candidates.stride + x;
      sum += static_cast<std::uint32_t>(std::abs(block[y * block_stride + x] - ((first[at] + second[at] + 1) >> 1)));
    }
  }
  return sum;
}

template <bool kMean>
void BlockDifferences(const std::uint8_t* block, const CandidateBlocks& candidates, QuarterSums* sums) {
  for (int c = 0; c < kCandidates; ++c) {
    for (int quarter = 0; quarter < kQuarters; ++quarter) {
      const int x = 8 * (quarter / 2), y = 8 * (quarter % 2);
      sums[c].of[quarter] =
          PlainDifferences<kMean>(block + y * kBlockSide + x, kBlockSide, candidates, c, y * candidates.stride + x);
    }
  }
}

template <bool kMean>
void SmallDifferences(const std::uint8_t* block, std::ptrdiff_t block_stride, const CandidateBlocks& candidates,
                      std::uint32_t* sums) {
  for (int c = 0; c < kCandidates; ++c) sums[c] = PlainDifferences<kMean>(block, block_stride, candidates, c, 0);
}

#else

using D16 = hn::FixedTag<std::uint8_t, 16>;
using DHalf = hn::FixedTag<std::uint8_t, 8>;
using DSums = hn::FixedTag<std::uint64_t, 2>;

// Highway 1.0 has sums of bytes, but not yet the one instruction for sums of differences.
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128
HWY_INLINE hn::Vec128<std::uint64_t> SumsOfDifferences(hn::Vec128<std::uint8_t> a, hn::Vec128<std::uint8_t> b) {
  return hn::Vec128<std::uint64_t>{_mm_sad_epu8(a.raw, b.raw)};
}
#if HWY_TARGET <= HWY_AVX2
HWY_INLINE hn::Vec256<std::uint64_t> SumsOfDifferences(hn::Vec256<std::uint8_t> a, hn::Vec256<std::uint8_t> b) {
  return hn::Vec256<std::uint64_t>{_mm256_sad_epu8(a.raw, b.raw)};
}
#endif
#else
template <class V>
HWY_INLINE auto SumsOfDifferences(V a, V b) {
  return hn::SumsOf8(hn::Or(hn::SaturatedSub(a, b), hn::SaturatedSub(b, a)));
}
#endif

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
using DRows = hn::FixedTag<std::uint8_t, 32>;  // two rows of a block
HWY_INLINE hn::Vec<DRows> LoadRows(const std::uint8_t* from, std::ptrdiff_t stride) {
  return hn::Combine(DRows(), hn::LoadU(D16(), from + stride), hn::LoadU(D16(), from));
}
HWY_INLINE hn::Vec<DSums> Fold(hn::Vec<hn::FixedTag<std::uint64_t, 4> > v) {
  return hn::Add(hn::LowerHalf(DSums(), v), hn::UpperHalf(DSums(), v));
}
#else
using DRows = D16;
HWY_INLINE hn::Vec<DRows> LoadRows(const std::uint8_t* from, std::ptrdiff_t) { return hn::LoadU(D16(), from); }
HWY_INLINE hn::Vec<DSums> Fold(hn::Vec<DSums> v) { return v; }
#endif
constexpr int kRowsAtOnce = static_cast<int>(hn::MaxLanes(DRows())) / kBlockSide;

template <bool kMean>
HWY_INLINE hn::Vec<DRows> LoadCandidate(const CandidateBlocks& candidates, int c, std::ptrdiff_t offset) {
  const auto first = LoadRows(candidates.first[c] + offset, candidates.stride);
  if constexpr (kMean) return hn::AverageRound(first, LoadRows(candidates.second[c] + offset, candidates.stride));
  return first;
}

template <bool kMean>
void BlockDifferences(const std::uint8_t* block, const CandidateBlocks& candidates, QuarterSums* sums) {
  const hn::Repartition<std::uint64_t, DRows> d_sums;
  hn::Vec<DSums> top[kCandidates];
  for (int half = 0; half < 2; ++half) {
    auto a = hn::Zero(d_sums), b = a, c = a, d = a;
    for (int y = 8 * half; y < 8 * half + 8; y += kRowsAtOnce) {
      const auto rows = hn::Load(DRows(), block + std::ptrdiff_t{y} * kBlockSide);
      const std::ptrdiff_t offset = y * candidates.stride;
      a = hn::Add(a, SumsOfDifferences(rows, LoadCandidate<kMean>(candidates, 0, offset)));
      b = hn::Add(b, SumsOfDifferences(rows, LoadCandidate<kMean>(candidates, 1, offset)));
      c = hn::Add(c, SumsOfDifferences(rows, LoadCandidate<kMean>(candidates, 2, offset)));
      d = hn::Add(d, SumsOfDifferences(rows, LoadCandidate<kMean>(candidates, 3, offset)));
    }
    const hn::Vec<DSums> folded[kCandidates] = {Fold(a), Fold(b), Fold(c), Fold(d)};
    for (int i = 0; i < kCandidates; ++i) {
      if (half == 0) {
        top[i] = folded[i];
      } else {  // lanes: left, right; their high halves take the bottom
        const auto all = hn::Or(top[i], hn::ShiftLeft<32>(folded[i]));
        hn::StoreU(hn::BitCast(hn::FixedTag<std::uint32_t, 4>(), all), hn::FixedTag<std::uint32_t, 4>(), sums[i].of);
      }
    }
  }
}

HWY_INLINE hn::Vec<D16> LoadSmallRows(const std::uint8_t* from, std::ptrdiff_t stride) {
  return hn::Combine(D16(), hn::LoadU(DHalf(), from + stride), hn::LoadU(DHalf(), from));
}

template <bool kMean>
HWY_INLINE hn::Vec<D16> LoadSmallCandidate(const CandidateBlocks& candidates, int c, int row) {
  const auto first = LoadSmallRows(candidates.first[c] + row * candidates.stride, candidates.stride);
  if constexpr (!kMean)
    return first;
  else
    return hn::AverageRound(first, LoadSmallRows(candidates.second[c] + row * candidates.stride, candidates.stride));
}

template <bool kMean>
void SmallDifferences(const std::uint8_t* block, std::ptrdiff_t block_stride, const CandidateBlocks& candidates,
                      std::uint32_t* sums) {
  const auto a = LoadSmallRows(block, block_stride), b = LoadSmallRows(block + 2 * block_stride, block_stride),
             c = LoadSmallRows(block + 4 * block_stride, block_stride),
             d = LoadSmallRows(block + 6 * block_stride, block_stride);
  for (int i = 0; i < kCandidates; ++i) {
    const auto upper = hn::Add(SumsOfDifferences(a, LoadSmallCandidate<kMean>(candidates, i, 0)),
                               SumsOfDifferences(b, LoadSmallCandidate<kMean>(candidates, i, 2)));
    const auto lower = hn::Add(SumsOfDifferences(c, LoadSmallCandidate<kMean>(candidates, i, 4)),
                               SumsOfDifferences(d, LoadSmallCandidate<kMean>(candidates, i, 6)));
    const auto sum = hn::Add(upper, lower);
    sums[i] = static_cast<std::uint32_t>(hn::GetLane(sum) + hn::ExtractLane(sum, 1));
  }
}

#endif

void WholeBlockDifferences(const std::uint8_t* block, const CandidateBlocks& candidates, QuarterSums* sums) {
  BlockDifferences<false>(block, candidates, sums);
}

void MeanBlockDifferences(const std::uint8_t* block, const CandidateBlocks& candidates, QuarterSums* sums) {
  BlockDifferences<true>(block, candidates, sums);
}

void WholeSmallDifferences(const std::uint8_t* block, std::ptrdiff_t block_stride, const CandidateBlocks& candidates,
                           std::uint32_t* sums) {
  SmallDifferences<false>(block, block_stride, candidates, sums);
}

void MeanSmallDifferences(const std::uint8_t* block, std::ptrdiff_t block_stride, const CandidateBlocks& candidates,
                          std::uint32_t* sums) {
  SmallDifferences<true>(block, block_stride, candidates, sums);
}

}  // namespace actio::motion::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actio::motion {

HWY_EXPORT(WholeBlockDifferences);
HWY_EXPORT(MeanBlockDifferences);
HWY_EXPORT(WholeSmallDifferences);
HWY_EXPORT(MeanSmallDifferences);

void whole_block_differences(const std::uint8_t* block, const CandidateBlocks& candidates, QuarterSums* sums) {
  HWY_DYNAMIC_DISPATCH(WholeBlockDifferences)(block, candidates, sums);
}
void mean_block_differences(const std::uint8_t* block, const CandidateBlocks& candidates, QuarterSums* sums) {
  HWY_DYNAMIC_DISPATCH(MeanBlockDifferences)(block, candidates, sums);
}
void whole_small_differences(const std::uint8_t* block, std::ptrdiff_t block_stride, const CandidateBlocks& candidates,
                             std::uint32_t* sums) {
  HWY_DYNAMIC_DISPATCH(WholeSmallDifferences)(block, block_stride, candidates, sums);
}
void mean_small_differences(const std::uint8_t* block, std::ptrdiff_t block_stride, const CandidateBlocks& candidates,
                            std::uint32_t* sums) {
  HWY_DYNAMIC_DISPATCH(MeanSmallDifferences)(block, block_stride, candidates, sums);
}

}  // namespace actio::motion
#endif
