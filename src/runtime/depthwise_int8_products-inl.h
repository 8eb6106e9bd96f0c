// runtime: products of bytes and their sums in 32 bits, for depthwise_int8_ops.cpp alone. In: four rows of bytes. Out: vectors in which the taps of a channel
// lie beside each other, and what multiplies them. Included once per instruction set.
#if defined(ACTIO_RUNTIME_DEPTHWISE_INT8_PRODUCTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ACTIO_RUNTIME_DEPTHWISE_INT8_PRODUCTS_INL
#undef ACTIO_RUNTIME_DEPTHWISE_INT8_PRODUCTS_INL
#else
#define ACTIO_RUNTIME_DEPTHWISE_INT8_PRODUCTS_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace actio::runtime::HWY_NAMESPACE {

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3  // the better instruction set has the lower bit

namespace hn = hwy::HWY_NAMESPACE;

// The three instructions that Highway 1.0 lacks: rounding of numbers that fit, and bytes from two vectors, within each 16 bytes.
HWY_INLINE hn::Vec128<std::int32_t> Rounded(hn::Vec128<float> v) { return hn::Vec128<std::int32_t>{_mm_cvtps_epi32(v.raw)}; }
HWY_INLINE hn::Vec128<std::uint8_t> Bytes(hn::Vec128<std::int16_t> a, hn::Vec128<std::int16_t> b, bool is_signed) {
  return hn::Vec128<std::uint8_t>{is_signed ? _mm_packs_epi16(a.raw, b.raw) : _mm_packus_epi16(a.raw, b.raw)};
}
#if HWY_TARGET <= HWY_AVX2
HWY_INLINE hn::Vec256<std::int32_t> Rounded(hn::Vec256<float> v) { return hn::Vec256<std::int32_t>{_mm256_cvtps_epi32(v.raw)}; }
HWY_INLINE hn::Vec256<std::uint8_t> Bytes(hn::Vec256<std::int16_t> a, hn::Vec256<std::int16_t> b, bool is_signed) {
  return hn::Vec256<std::uint8_t>{is_signed ? _mm256_packs_epi16(a.raw, b.raw) : _mm256_packus_epi16(a.raw, b.raw)};
}
#endif
#if HWY_TARGET <= HWY_AVX3
HWY_INLINE hn::Vec512<std::int32_t> Rounded(hn::Vec512<float> v) { return hn::Vec512<std::int32_t>{_mm512_cvtps_epi32(v.raw)}; }
HWY_INLINE hn::Vec512<std::uint8_t> Bytes(hn::Vec512<std::int16_t> a, hn::Vec512<std::int16_t> b, bool is_signed) {
  return hn::Vec512<std::uint8_t>{is_signed ? _mm512_packs_epi16(a.raw, b.raw) : _mm512_packus_epi16(a.raw, b.raw)};
}
#endif

// Two taps at once, as numbers of 16 bits.
struct Pairs {
  static constexpr int kParts = 2;  // vectors of a quarter: the upper two rows, the lower two

  template <class D>
  static HWY_INLINE hn::Vec<D> Extension(D d, hn::Vec<D> bytes, bool is_weight) {
    const hn::RebindToSigned<D> ds;
    return is_weight ? hn::BitCast(d, hn::VecFromMask(ds, hn::Lt(hn::BitCast(ds, bytes), hn::Zero(ds)))) : hn::Zero(d);
  }

  template <class D>
  static HWY_INLINE void Widen(D d, hn::Vec<D> bytes, bool is_weight, std::uint8_t* to) {
    const hn::Vec<D> extension = Extension(d, bytes, is_weight);
    hn::Store(hn::InterleaveLower(d, bytes, extension), d, to);
    hn::Store(hn::InterleaveUpper(d, bytes, extension), d, to + kParts * hn::Lanes(d));
  }

  template <class D>
  static HWY_INLINE void Interleave(D d, const hn::Vec<D> (&rows)[4], bool is_weight, std::uint8_t* to) {
    const std::size_t size = hn::Lanes(d);
    Widen(d, hn::InterleaveLower(d, rows[0], rows[1]), is_weight, to);
    Widen(d, hn::InterleaveUpper(d, rows[0], rows[1]), is_weight, to + 2 * kParts * size);
    Widen(d, hn::InterleaveLower(d, rows[2], rows[3]), is_weight, to + size);
    Widen(d, hn::InterleaveUpper(d, rows[2], rows[3]), is_weight, to + (2 * kParts + 1) * size);
  }

  template <class D32, class D = hn::Repartition<std::uint8_t, D32>>
  static HWY_INLINE hn::Vec<D32> Add(D32 d, hn::Vec<D32> sum, hn::Vec<D> values, hn::Vec<D> weights) {
    const hn::Repartition<std::int16_t, D32> d16;
    hn::Vec<D32> unused = hn::Zero(d);
    return hn::ReorderWidenMulAccumulate(d, hn::BitCast(d16, values), hn::BitCast(d16, weights), sum, unused);
  }
};

#if HWY_TARGET <= HWY_AVX2
// Four taps at once: VNNI. Highway 1.0 compiles for no instruction set that surely has it.
struct Dots {
  static constexpr int kParts = 1;

  template <class D>
  static HWY_INLINE void Interleave(D d, const hn::Vec<D> (&rows)[4], bool, std::uint8_t* to) {
    const hn::Repartition<std::uint16_t, D> d16;
    const std::size_t size = hn::Lanes(d);
    const auto top_lower = hn::BitCast(d16, hn::InterleaveLower(d, rows[0], rows[1]));
    const auto top_upper = hn::BitCast(d16, hn::InterleaveUpper(d, rows[0], rows[1]));
    const auto low_lower = hn::BitCast(d16, hn::InterleaveLower(d, rows[2], rows[3]));
    const auto low_upper = hn::BitCast(d16, hn::InterleaveUpper(d, rows[2], rows[3]));
    hn::Store(hn::BitCast(d, hn::InterleaveLower(d16, top_lower, low_lower)), d, to);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(d16, top_lower, low_lower)), d, to + size);
    hn::Store(hn::BitCast(d, hn::InterleaveLower(d16, top_upper, low_upper)), d, to + 2 * size);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(d16, top_upper, low_upper)), d, to + 3 * size);
  }

  template <class D32, class D = hn::Repartition<std::uint8_t, D32>>
  static HWY_INLINE hn::Vec<D32> Add(D32, hn::Vec<D32> sum, hn::Vec<D> values, hn::Vec<D> weights) {
#if HWY_TARGET <= HWY_AVX3
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(values.raw), "vm"(weights.raw));
#else
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.raw) : "x"(values.raw), "xm"(weights.raw));
#endif
    return sum;
  }
};
#endif

#endif

}  // namespace actio::runtime::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
