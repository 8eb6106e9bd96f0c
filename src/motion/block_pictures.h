// motion: the pictures of the block search. In: grey pictures. Out: the previous one with a border and between its pixels;
// the motion that shows at a quarter of the size.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "motion/block_ops.h"
#include "motion/block_search.h"

namespace actio::motion {

// From a place in the current picture to where it was in the previous one. Units: quarter pixels.
struct Shift {
  int x = 0, y = 0;
  friend bool operator==(const Shift&, const Shift&) = default;
  friend Shift operator+(Shift a, Shift b) { return {a.x + b.x, a.y + b.y}; }
  friend Shift operator*(int times, Shift s) { return {times * s.x, times * s.y}; }
};

// What a shift must save in differences, by the length of the code that H.264 gives to it.
inline std::uint32_t code_price(int difference) {
  return 8 * static_cast<std::uint32_t>(std::bit_width(static_cast<unsigned>(std::abs(difference))));
}
inline std::uint32_t price(Shift shift, Shift expected) {
  return code_price(shift.x - expected.x) + code_price(shift.y - expected.y);
}

inline constexpr int kOutside = 24;  // pixels that a block may lie outside of the previous picture

// The previous picture with a border, and its half-pixel planes, which are computed where they are asked for.
class ReferencePicture {
 public:
  ReferencePicture(int width, int height);

  std::ptrdiff_t stride() const { return stride_; }
  void load(GreyPicture picture);

  // To be called before blocks within these rows are looked at between pixels.
  void prepare(int first_row, int last_row) {
    const int last = static_cast<int>(static_cast<unsigned>(last_row + kBorder) / kBandRows);
    for (int band = static_cast<int>(static_cast<unsigned>(first_row + kBorder) / kBandRows); band <= last; ++band) {
      if (!ready_[static_cast<std::size_t>(band)]) compute(band);
    }
  }

  // The pixel at (x, y), quarter pixels, is the mean of what `first` and `second` receive.
  void locate(int x, int y, const std::uint8_t*& first, const std::uint8_t*& second) const {
    const int left = x >> 1, top = y >> 1, odd_x = x & 1, odd_y = y & 1;  // halves of a pixel
    // Amid four of these, the two are taken that lie between two pixels, not on a pixel or amid four.
    const int turned = odd_x & odd_y & (left + top + 1);
    first = half(left, top + turned);
    second = half(left + odd_x, top + odd_y - turned);
  }

 private:
  static constexpr int kBorder = kOutside + 8;                           // what the taps read around a block outside
  static constexpr unsigned kBandRows = 16;                              // computed at once
  static constexpr int kOnPixels = 0, kRight = 1, kDown = 2, kBoth = 3;  // planes: half a pixel further

  const std::uint8_t* half(int x, int y) const {
    return origin_ + ((x & 1) + 2 * (y & 1)) * plane_size_ + (y >> 1) * stride_ + (x >> 1);
  }
  std::uint8_t* row(int plane, int y) {  // from the border on
    return planes_.data() + kRowSlack + plane * plane_size_ + (y + kBorder) * stride_;
  }
  void compute(int band);

  int width_, height_;
  std::ptrdiff_t stride_;
  std::ptrdiff_t plane_size_;
  std::vector<std::uint8_t> planes_;
  const std::uint8_t* origin_;  // pixel (0, 0) of the first plane
  std::vector<std::int16_t> scratch_;
  std::vector<std::uint8_t> ready_;  // per band
};

// A full search at a quarter of the size, for motion that no neighbour knows of. Each of its blocks of 8 x 8 is 32 x 32
// pixels of the whole picture, and is searched for when it is first asked for.
class CoarseSearch {
 public:
  CoarseSearch(int width, int height);

  bool usable() const { return width_ >= 8 && height_ >= 8; }
  void load(GreyPicture previous, GreyPicture current);
  Shift find(int x, int y);  // of the place (x, y) of the whole picture

 private:
  std::size_t place(int x, int y) const;
  void shrink(GreyPicture from, std::vector<std::uint8_t>& to);
  Shift search(int x, int y) const;

  int width_, height_, columns_;
  std::ptrdiff_t stride_;
  std::vector<std::uint8_t> previous_, current_;
  std::vector<std::uint16_t> scratch_;
  std::vector<Shift> found_;
  std::vector<std::uint8_t> done_;
};

}  // namespace actio::motion
