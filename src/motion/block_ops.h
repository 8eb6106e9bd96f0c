// motion: the inner loops of the block search, compiled for several instruction sets and chosen at run time; every one gives
// the same bits. In: grey pixels with a border. Out: sums of absolute differences, half-pixel planes, smaller pictures.
// Nothing here allocates.
#pragma once

#include <cstddef>
#include <cstdint>

namespace actio::motion {

inline constexpr int kBlockSide = 16;      // pixels
inline constexpr int kCandidates = 4;      // places that are compared with a block at once
inline constexpr int kPlaneAlign = 64;     // bytes: rows of half-pixel planes are a multiple of it
inline constexpr int kScratchMargin = 16;  // values of a scratch row before its first column
inline constexpr int kRowSlack = 64;       // values, or bytes, behind a row that a function may read and write

// Places of kCandidates blocks in the reference picture: the block is the mean of `first` and `second`, rounded up.
// They are pointers to top left corners; where both are the same, the block is what lies there.
struct CandidateBlocks {
  const std::uint8_t* first[kCandidates];
  const std::uint8_t* second[kCandidates];
  std::ptrdiff_t stride = 0;
};

// The quarters of a block, in the order of the sums below.
enum Quarter { kTopLeft, kBottomLeft, kTopRight, kBottomRight, kQuarters };

// Sums of absolute differences of one candidate, per quarter of 8 x 8 pixels.
struct QuarterSums {
  std::uint32_t of[kQuarters];
};

// `block` has 16 x 16 pixels without gaps, aligned to 32 bytes. The first of two such functions looks at `first` alone.
void whole_block_differences(const std::uint8_t* block, const CandidateBlocks& candidates, QuarterSums* sums);
void mean_block_differences(const std::uint8_t* block, const CandidateBlocks& candidates, QuarterSums* sums);

// The same for blocks of 8 x 8 pixels, whose rows are `block_stride` apart; sums has kCandidates values.
void whole_small_differences(const std::uint8_t* block, std::ptrdiff_t block_stride, const CandidateBlocks& candidates,
                             std::uint32_t* sums);
void mean_small_differences(const std::uint8_t* block, std::ptrdiff_t block_stride, const CandidateBlocks& candidates,
                            std::uint32_t* sums);

// One row of the pictures that lie half a pixel to the right, half a pixel down, and both, by the six taps of H.264. Rows -2
// to 3 and columns -2 to width + 3 are read, so what stands at both ends of a row depends on its neighbours' ends.
struct HalfPixelRow {
  const std::uint8_t* from = nullptr;
  std::ptrdiff_t stride = 0;
  int width = 0;                    // a multiple of kPlaneAlign
  std::int16_t* scratch = nullptr;  // kScratchMargin + width + kRowSlack values
  std::uint8_t* right = nullptr;
  std::uint8_t* down = nullptr;
  std::uint8_t* both = nullptr;
};
void half_pixel_row(const HalfPixelRow& row);

// out[x] = the mean of the 4 x 4 pixels from column 4 x; scratch has 4 (width + kRowSlack) values, out kRowSlack more.
void quarter_size_row(const std::uint8_t* from, std::ptrdiff_t stride, int width, std::uint16_t* scratch, std::uint8_t* out);

}  // namespace actio::motion
