// The rows around an output are interleaved first, four at once: then the taps of a channel lie beside each other, where one instruction multiplies and adds
// them, and a kernel's column is one (VNNI) or two of these. Of four rows, stride 1 makes two rows of outputs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/depthwise_int8_ops.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#if HWY_ARCH_X86
#include <cpuid.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/depthwise_int8.h"
#include "runtime/depthwise_int8_products-inl.h"

HWY_BEFORE_NAMESPACE();
namespace actio::runtime::HWY_NAMESPACE {

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3  // the better instruction set has the lower bit

constexpr int kColumns = 64;  // of inputs that are interleaved at once
constexpr int kQuarters = 4;  // a vector of bytes makes four of 32-bit sums

// Of two neighbouring outputs in two rows.
template <class V>
struct Tile {
  V of[2][2];
};

// The numbers of a block of channels, in the order of its sums: within each 16 channels, four in each quarter.
template <class Dot, int kLanes>
struct Block {
  static constexpr int kVectors = kQuarters * Dot::kParts;
  static constexpr std::ptrdiff_t kColumn = std::ptrdiff_t{kVectors} * kLanes;  // bytes

  alignas(64) std::uint8_t weights[2][3][kColumn];  // of the upper and the lower row of outputs
  alignas(64) std::int32_t start[kLanes];           // what is added for values without a sign that stand for those with one
  alignas(64) float bias[kLanes], factors[kLanes];
  alignas(64) std::uint8_t columns[kColumns * kColumn];
};

// kPieces: where fewer channels are left than a vector has lanes, it holds them of as many (pairs of) rows beside each other.
template <class Dot, int kLanes, int kPieces>
class Depthwise {
 public:
  Depthwise(const DepthwiseInt8& op, const DepthwiseBuffers& buffers, const DepthwiseRange& range, std::int64_t channel)
      : op_(op), buffers_(buffers), range_(range), channel_(channel), flip_(hn::Set(D(), op.in_signed ? 0x80 : 0)) {
    const std::int64_t step = op.channels;
    for (int kx = 0; kx < 3; ++kx) {
      hn::Vec<D> w[3];
      for (int ky = 0; ky < 3; ++ky) {
        const std::uint8_t* from = reinterpret_cast<const std::uint8_t*>(buffers.weight) + (3 * ky + kx) * step + channel;
        w[ky] = Joined([&](int) { return from; });
      }
      Dot::Interleave(D(), {w[0], w[1], w[2], hn::Zero(D())}, true, block_.weights[0][kx]);
      Dot::Interleave(D(), {hn::Zero(D()), w[0], w[1], w[2]}, true, block_.weights[1][kx]);
      Dot::Interleave(D(), {flip_, flip_, flip_, flip_}, false, block_.columns + kx * kColumn);
    }
    for (int quarter = 0; quarter < kQuarters; ++quarter) {
      hn::Store(hn::Zero(D32()), D32(), block_.start + quarter * kSums);
      hn::Store(hn::Neg(Sums<1, 1>(block_.columns, quarter).of[0][0]), D32(), block_.start + quarter * kSums);
      for (int i = 0; i < kSums; i += 4) {
        const std::int64_t from = channel + 4 * i % kOfPiece + 4 * quarter;
        std::memcpy(block_.bias + quarter * kSums + i, buffers.bias + from, 4 * sizeof(float));
        std::memcpy(block_.factors + quarter * kSums + i, buffers.factors + from, 4 * sizeof(float));
      }
    }
  }

  void Run() {
    const std::int64_t strip = (kColumns - 3) / op_.stride_x + 1;
    for (std::int64_t y = range_.first; y < range_.last;) {
      const bool two = op_.stride_y == 1 && (kPieces > 1 ? range_.first : y) + 1 < range_.last;
      // The last pieces compute some rows again where there are not enough.
      for (int piece = 0; piece < kPieces; ++piece) y_[piece] = std::min(y + piece * (two ? 2 : 1), range_.last - (two ? 2 : 1));
      for (std::int64_t x = 0; x < op_.out_width; x += strip) {
        const std::int64_t count = std::min(strip, op_.out_width - x);
        const auto gather = op_.in_signed ? &Depthwise::Gather<true> : &Depthwise::Gather<false>;
        (this->*gather)(two ? 4 : 3, x * op_.stride_x - op_.left, (count - 1) * op_.stride_x + 3);
        two ? Strip<2>(x, count) : Strip<1>(x, count);
      }
      y += (two ? 2 : 1) * kPieces;
    }
  }

 private:
  using D = hn::FixedTag<std::uint8_t, kLanes>;
  using D16 = hn::Repartition<std::int16_t, D>;
  using D32 = hn::Repartition<std::int32_t, D>;
  using DReal = hn::Repartition<float, D>;
  static constexpr int kSums = kLanes / 4;  // in a vector
  static constexpr int kOfPiece = kLanes / kPieces;
  static constexpr std::ptrdiff_t kColumn = Block<Dot, kLanes>::kColumn;

  struct Row {
    const std::uint8_t* first;
    std::ptrdiff_t step;  // to the next pixel; 0 in a row of padding
  };

  // A vector of pieces that lie where from(piece) says.
  template <class From>
  static HWY_INLINE hn::Vec<D> Joined(const From& from) {
    if constexpr (kPieces == 1) {
      return hn::LoadU(D(), from(0));
    } else {
      const hn::Half<D> half;
      if constexpr (kPieces == 2) {
        return hn::Combine(D(), hn::LoadU(half, from(1)), hn::LoadU(half, from(0)));
      } else {
        const hn::Half<decltype(half)> part;
        const auto upper = hn::Combine(half, hn::LoadU(part, from(3)), hn::LoadU(part, from(2)));
        return hn::Combine(D(), upper, hn::Combine(half, hn::LoadU(part, from(1)), hn::LoadU(part, from(0))));
      }
    }
  }

  Row RowOf(std::int64_t y) const {
    alignas(64) static constexpr std::uint8_t kZeros[64] = {};
    if (y < 0 || y >= op_.height) return {kZeros, 0};
    return {buffers_.in + (range_.image * op_.height + y) * op_.width * op_.channels + channel_, op_.channels};
  }

  // Interleaves `count` columns from x on, of `rows` rows for each piece.
  template <bool kSigned>
  void Gather(int rows, std::int64_t x, std::int64_t count) {
    Row row[4][kPieces];
    for (int i = 0; i < 4; ++i) {
      for (int piece = 0; piece < kPieces; ++piece) row[i][piece] = RowOf(i < rows ? y_[piece] * op_.stride_y - op_.top + i : -1);
    }
    const std::int64_t first = std::clamp<std::int64_t>(-x, 0, count), last = std::clamp<std::int64_t>(op_.width - x, first, count);
    for (std::int64_t i = 0; i < first; ++i) Dot::Interleave(D(), {flip_, flip_, flip_, flip_}, false, block_.columns + i * kColumn);
    for (std::int64_t i = first; i < last; ++i) {
      const auto at = [&](const Row(&from)[kPieces]) HWY_ATTR {
        const auto bytes = Joined([&](int piece) { return from[piece].first + (x + i) * from[piece].step; });
        return kSigned ? hn::Xor(bytes, flip_) : bytes;
      };
      Dot::Interleave(D(), {at(row[0]), at(row[1]), at(row[2]), at(row[3])}, false, block_.columns + i * kColumn);
    }
    for (std::int64_t i = last; i < count; ++i) Dot::Interleave(D(), {flip_, flip_, flip_, flip_}, false, block_.columns + i * kColumn);
  }

  template <int kRows>
  HWY_INLINE void Strip(std::int64_t x, std::int64_t count) {
    for (int piece = 0; piece < kPieces; ++piece) {
      at_[piece] = ((range_.image * op_.out_height + y_[piece]) * op_.out_width + x) * op_.channels + channel_;
    }
    std::int64_t i = 0;
    for (; i + 2 <= count; i += 2) Outputs<kRows, 2>(block_.columns + i * op_.stride_x * kColumn, i * op_.channels);
    if (i < count) Outputs<kRows, 1>(block_.columns + i * op_.stride_x * kColumn, i * op_.channels);
  }

  // `offset`: from where the strip lies.
  HWY_INLINE void Put(hn::Vec<D> bytes, std::int64_t offset) const {
    std::uint8_t* out = static_cast<std::uint8_t*>(buffers_.out) + offset;
    if constexpr (kPieces == 1) {
      hn::StoreU(bytes, D(), out + at_[0]);
    } else {
      alignas(64) std::uint8_t pieces[kLanes];
      hn::Store(bytes, D(), pieces);
      for (int piece = 0; piece < kPieces; ++piece) std::memcpy(out + at_[piece], pieces + piece * kOfPiece, kOfPiece);
    }
  }

  template <int kRows, int kWidth>
  HWY_INLINE void Outputs(const std::uint8_t* columns, std::int64_t offset) const {
    if (op_.out == DepthwiseInt8::Out::kF32) return Reals<kRows, kWidth>(columns, offset);
    const auto a = Integers<kRows, kWidth>(columns, 0), b = Integers<kRows, kWidth>(columns, 1);
    const auto left = Halves<kRows, kWidth>(a, b);
    const auto c = Integers<kRows, kWidth>(columns, 2), e = Integers<kRows, kWidth>(columns, 3);
    const auto right = Halves<kRows, kWidth>(c, e);
    const bool is_signed = op_.out == DepthwiseInt8::Out::kS8;
    for (int y = 0; y < kRows; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        Put(Bytes(left.of[y][x], right.of[y][x], is_signed), offset + (y * op_.out_width + x) * op_.channels);
      }
    }
  }

  template <int kRows, int kWidth>
  void Reals(const std::uint8_t* columns, std::int64_t offset) const {
    const auto low = hn::Set(DReal(), op_.activation == Activation::kNone ? -HUGE_VALF : 0);
    const auto high = hn::Set(DReal(), op_.activation == Activation::kRelu6 ? 6 : HUGE_VALF);
    alignas(64) float values[kSums];
    for (int quarter = 0; quarter < kQuarters; ++quarter) {
      const auto scaled = Scaled<kRows, kWidth>(columns, quarter);
      for (int y = 0; y < kRows; ++y) {
        for (int x = 0; x < kWidth; ++x) {
          hn::Store(hn::Min(hn::Max(scaled.of[y][x], low), high), DReal(), values);
          float* to = static_cast<float*>(buffers_.out) + offset + (y * op_.out_width + x) * op_.channels + 4 * quarter;
          for (int i = 0; i < kSums; i += 4) std::memcpy(to + at_[4 * i / kOfPiece] + 4 * i % kOfPiece, values + i, 4 * sizeof(float));
        }
      }
    }
  }

  template <int kRows, int kWidth>
  static HWY_INLINE Tile<hn::Vec<D16>> Halves(const Tile<hn::Vec<D32>>& a, const Tile<hn::Vec<D32>>& b) {
    Tile<hn::Vec<D16>> halves;
    for (int y = 0; y < kRows; ++y) {
      for (int x = 0; x < kWidth; ++x) halves.of[y][x] = hn::ReorderDemote2To(D16(), a.of[y][x], b.of[y][x]);
    }
    return halves;
  }

  template <int kRows, int kWidth>
  HWY_INLINE Tile<hn::Vec<D32>> Integers(const std::uint8_t* columns, int quarter) const {
    const auto scaled = Scaled<kRows, kWidth>(columns, quarter);
    Tile<hn::Vec<D32>> integers;
    for (int y = 0; y < kRows; ++y) {
      for (int x = 0; x < kWidth; ++x) integers.of[y][x] = Rounded(scaled.of[y][x]);
    }
    return integers;
  }

  template <int kRows, int kWidth>
  HWY_INLINE Tile<hn::Vec<DReal>> Scaled(const std::uint8_t* columns, int quarter) const {
    const auto bias = hn::Load(DReal(), block_.bias + quarter * kSums), factors = hn::Load(DReal(), block_.factors + quarter * kSums);
    const auto sums = Sums<kRows, kWidth>(columns, quarter);
    Tile<hn::Vec<DReal>> scaled;
    for (int y = 0; y < kRows; ++y) {
      for (int x = 0; x < kWidth; ++x) scaled.of[y][x] = hn::Mul(hn::Add(hn::ConvertTo(DReal(), sums.of[y][x]), bias), factors);
    }
    return scaled;
  }

  template <int kRows, int kWidth>
  HWY_INLINE Tile<hn::Vec<D32>> Sums(const std::uint8_t* columns, int quarter) const {
    Tile<hn::Vec<D32>> sums;
    for (int y = 0; y < kRows; ++y) {
      for (int x = 0; x < kWidth; ++x) sums.of[y][x] = hn::Load(D32(), block_.start + quarter * kSums);
    }
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; ++kx) {
#pragma GCC unroll 2
      for (int part = 0; part < Dot::kParts; ++part) {
        const std::ptrdiff_t at = std::ptrdiff_t{quarter * Dot::kParts + part} * kLanes;
        for (int x = 0; x < kWidth; ++x) {
          const auto values = hn::Load(D(), columns + (x * op_.stride_x + kx) * kColumn + at);
          for (int y = 0; y < kRows; ++y) sums.of[y][x] = Dot::Add(D32(), sums.of[y][x], values, hn::Load(D(), block_.weights[y][kx] + at));
        }
      }
    }
    return sums;
  }

  const DepthwiseInt8& op_;
  const DepthwiseBuffers& buffers_;
  const DepthwiseRange& range_;
  std::int64_t channel_;
  std::int64_t y_[kPieces], at_[kPieces];  // of the pieces: the first row of outputs, and where the strip begins in all outputs
  hn::Vec<D> flip_;                        // makes the bytes that stand for values with a sign of theirs
  Block<Dot, kLanes> block_;
};

// A vector of all channels that are left, or the last ones: some are computed again where it would not be full.
template <class Dot, int kLanes, int kPieces>
std::int64_t Run(const DepthwiseInt8& op, const DepthwiseBuffers& buffers, const DepthwiseRange& range, std::int64_t channel) {
  constexpr std::int64_t kOfPiece = kLanes / kPieces;
  Depthwise<Dot, kLanes, kPieces>(op, buffers, range, std::min(channel, op.channels - kOfPiece)).Run();
  return channel + kOfPiece;
}

template <class Dot>
void Rows(const DepthwiseInt8& op, const DepthwiseBuffers& buffers, const DepthwiseRange& range) {
  constexpr int kLanes = static_cast<int>(HWY_LANES(std::uint8_t));
  if (op.channels < 16) return depthwise_rows_plainly(op, buffers, range);
  for (std::int64_t c = 0; c < op.channels;) {
    const std::int64_t left = op.channels - c;
    if (op.channels >= kLanes && left > kLanes / 2) {
      c = Run<Dot, kLanes, 1>(op, buffers, range, c);
#if HWY_TARGET <= HWY_AVX3
    } else if (op.channels >= 32 && left > 16) {
      c = Run<Dot, 64, 2>(op, buffers, range, c);
#endif
    } else {
      c = Run<Dot, kLanes, kLanes / 16>(op, buffers, range, c);
    }
  }
}

#else

struct Pairs;
template <class Dot>
void Rows(const DepthwiseInt8& op, const DepthwiseBuffers& buffers, const DepthwiseRange& range) {
  depthwise_rows_plainly(op, buffers, range);
}

#endif

DepthwiseRows RowsByPairs() { return Rows<Pairs>; }
DepthwiseRows RowsByDots() {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return Rows<Dots>;
#else
  return Rows<Pairs>;
#endif
}

}  // namespace actio::runtime::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actio::runtime {

#if (HWY_TARGETS & (HWY_TARGETS - 1)) == 0
DepthwiseRows depthwise_rows(int, bool) { return HWY_STATIC_DISPATCH(RowsByPairs)(); }
#else
HWY_EXPORT(RowsByPairs);
HWY_EXPORT(RowsByDots);

namespace {

// For vectors of 512 bits it is another extension than for shorter ones.
bool has_vnni([[maybe_unused]] bool wide) {
#if HWY_ARCH_X86
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, wide ? 0 : 1, &eax, &ebx, &ecx, &edx) == 0) return false;
  return wide ? (ecx >> 11 & 1) != 0 : (eax >> 4 & 1) != 0;
#else
  return false;
#endif
}

}  // namespace

DepthwiseRows depthwise_rows(int width, bool dot8) {
  std::int64_t targets = hwy::SupportedTargets();
#if HWY_ARCH_X86
  if (width < 512) targets &= ~(HWY_AVX2 - 1);
  if (width < 256) targets &= ~(HWY_SSE4 - 1);
#endif
  hwy::ChosenTarget chosen;  // by this call alone
  chosen.Update(targets);
  const auto* table = dot8 && has_vnni((targets & HWY_AVX3) != 0) ? HWY_DISPATCH_TABLE(RowsByDots) : HWY_DISPATCH_TABLE(RowsByPairs);
  return table[chosen.GetIndex()]();
}
#endif

}  // namespace actio::runtime
#endif
