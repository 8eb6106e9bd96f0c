// motion: block vectors of pictures whose codec carries none. In: two grey pictures, neighbours in display order. Out:
// vectors by the convention of the codecs' own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "video/frame.h"

namespace actio::motion {

// Shape: u8 [height, width] of the search that it is given to, rows `stride` bytes apart.
struct GreyPicture {
  const std::uint8_t* pixels = nullptr;
  std::ptrdiff_t stride = 0;
};

// As an encoder searches, but for the motion and not for the fewest bits: what noise explains as well keeps the vector of
// zero or of the neighbours. The result is the same on every instruction set.
// Owns: all memory it works in; running it allocates nothing once `vectors` has grown.
// Threads: one BlockSearch belongs to one thread at a time.
class BlockSearch {
 public:
  // Throws: Error(kUsage) for a picture of less than 16 x 16 or more than 16384 pixels a side.
  BlockSearch(int width, int height);
  ~BlockSearch();
  BlockSearch(BlockSearch&&) noexcept;
  BlockSearch& operator=(BlockSearch&&) noexcept;

  int width() const;
  int height() const;

  // Replaces `vectors` by the motion of the blocks of `current`, by rows: 16 x 16 pixels, or four times 8 x 8. They cover
  // the picture and, where a side is no multiple of 16, what lies right of or below it. Units: pixels, multiples of 1/4.
  void run(GreyPicture previous, GreyPicture current, std::vector<video::BlockVector>& vectors);

  // The next pictures have nothing to do with the last ones: their vectors are no guide.
  void forget();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace actio::motion
