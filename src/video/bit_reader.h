// video: reads the headers of compressed pictures bit by bit. In: bytes. Out: numbers; zeros behind the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace actio::video {

class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  // `count` bits, at most 32, the most significant first.
  std::uint32_t bits(int count) {
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 1 | bit();
    return value;
  }
  bool flag() { return bit() != 0; }
  void skip(int count) { position_ += static_cast<std::size_t>(count); }

  // An Exp-Golomb code; one of more than 32 zeros reads as the largest number.
  std::uint32_t exp_golomb() {
    int zeros = 0;
    while (!flag()) {
      if (++zeros > 31) return UINT32_MAX;
    }
    return (1U << zeros) - 1 + bits(zeros);
  }

  bool overrun() const { return position_ > bytes_.size() * 8; }

 private:
  std::uint32_t bit() {
    const std::size_t at = position_++;
    return at / 8 < bytes_.size() ? bytes_[at / 8] >> (7 - at % 8) & 1U : 0U;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
};

}  // namespace actio::video
