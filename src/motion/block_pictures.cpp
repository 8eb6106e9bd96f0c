#include "motion/block_pictures.h"

#include <algorithm>
#include <cstring>

namespace actio::motion {
namespace {

constexpr int kCoarse = 4;       // pixels per side of a coarse one
constexpr int kCoarseBlock = 8;  // coarse pixels
constexpr int kCoarseReach = 8;  // coarse pixels, in each direction
constexpr int kCoarseBorder = 2 * kCoarseReach;
constexpr int kCoarsePixels = kCoarse * kCoarseBlock;  // of the whole picture, that one coarse block covers

}  // namespace

ReferencePicture::ReferencePicture(int width, int height)
    : width_(width),
      height_(height),
      stride_((std::ptrdiff_t{width} + 2 * kBorder + kPlaneAlign - 1) / kPlaneAlign * kPlaneAlign),
      plane_size_(stride_ * (height + 2 * kBorder)),
      planes_(static_cast<std::size_t>(4 * plane_size_ + 2 * kRowSlack)),
      origin_(row(kOnPixels, 0) + kBorder),
      scratch_(static_cast<std::size_t>(kScratchMargin + stride_ + kRowSlack)),
      ready_(static_cast<std::size_t>(height + 2 * kBorder) / kBandRows + 1) {}

void ReferencePicture::load(GreyPicture picture) {
  std::ranges::fill(ready_, std::uint8_t{0});
  for (int y = 0; y < height_; ++y) {
    std::uint8_t* to = row(kOnPixels, y);
    const std::uint8_t* from = picture.pixels + y * picture.stride;
    std::memset(to, from[0], kBorder);
    std::memcpy(to + kBorder, from, static_cast<std::size_t>(width_));
    std::memset(to + kBorder + width_, from[width_ - 1], static_cast<std::size_t>(stride_ - kBorder - width_));
  }
  for (int y = 1; y <= kBorder; ++y) {
    std::memcpy(row(kOnPixels, -y), row(kOnPixels, 0), static_cast<std::size_t>(stride_));
    std::memcpy(row(kOnPixels, height_ - 1 + y), row(kOnPixels, height_ - 1), static_cast<std::size_t>(stride_));
  }
}

void ReferencePicture::compute(int band) {
  ready_[static_cast<std::size_t>(band)] = 1;
  constexpr int kRows = static_cast<int>(kBandRows);
  const int first = std::max(band * kRows, 2) - kBorder;  // the taps look two rows up and three down
  const int end = std::min((band + 1) * kRows - kBorder, height_ + kBorder - 3);
  for (int y = first; y < end; ++y) {
    half_pixel_row({row(kOnPixels, y), stride_, static_cast<int>(stride_), scratch_.data(), row(kRight, y), row(kDown, y),
                    row(kBoth, y)});
  }
}

CoarseSearch::CoarseSearch(int width, int height)
    : width_(width / kCoarse),
      height_(height / kCoarse),
      columns_((width + kCoarsePixels - 1) / kCoarsePixels),
      stride_(width_ + 2 * kCoarseBorder + kRowSlack) {
  const auto bytes = static_cast<std::size_t>(stride_ * (height_ + 2 * kCoarseBorder) + kRowSlack);
  previous_.resize(bytes);
  current_.resize(bytes);
  scratch_.resize(std::size_t{kCoarse} * static_cast<std::size_t>(width_ + kRowSlack));
  found_.resize(static_cast<std::size_t>(columns_ * ((height + kCoarsePixels - 1) / kCoarsePixels)));
  done_.resize(found_.size());
}

std::size_t CoarseSearch::place(int x, int y) const {
  return static_cast<std::size_t>((y + kCoarseBorder) * stride_ + kCoarseBorder + x);
}

void CoarseSearch::shrink(GreyPicture from, std::vector<std::uint8_t>& to) {
  for (int y = 0; y < height_; ++y) {
    quarter_size_row(from.pixels + std::ptrdiff_t{kCoarse} * y * from.stride, from.stride, width_, scratch_.data(),
                     to.data() + place(0, y));
  }
}

void CoarseSearch::load(GreyPicture previous, GreyPicture current) {
  if (!usable()) return;
  std::ranges::fill(done_, std::uint8_t{0});
  shrink(previous, previous_);
  shrink(current, current_);
  for (int y = 0; y < height_; ++y) {
    std::uint8_t* row = previous_.data() + place(0, y);
    std::memset(row - kCoarseBorder, row[0], kCoarseBorder);
    std::memset(row + width_, row[width_ - 1], kCoarseBorder);
  }
  const auto row_of = [&](int y) { return previous_.data() + place(-kCoarseBorder, y); };
  const auto length = static_cast<std::size_t>(width_ + 2 * kCoarseBorder);
  for (int y = 1; y <= kCoarseBorder; ++y) {
    std::memcpy(row_of(-y), row_of(0), length);
    std::memcpy(row_of(height_ - 1 + y), row_of(height_ - 1), length);
  }
}

Shift CoarseSearch::find(int x, int y) {
  const int column = x / kCoarsePixels, row = y / kCoarsePixels;
  const auto index = static_cast<std::size_t>(row * columns_ + column);
  if (!done_[index]) {
    done_[index] = 1;
    found_[index] =
        search(std::min(column * kCoarseBlock, width_ - kCoarseBlock), std::min(row * kCoarseBlock, height_ - kCoarseBlock));
  }
  return found_[index];
}

Shift CoarseSearch::search(int x, int y) const {
  CandidateBlocks candidates;
  candidates.stride = stride_;
  std::uint32_t sums[kCandidates], best = UINT32_MAX;
  Shift found;
  for (int dy = -kCoarseReach; dy <= kCoarseReach; ++dy) {
    for (int left = -kCoarseReach; left <= kCoarseReach; left += kCandidates) {
      for (int i = 0; i < kCandidates; ++i) candidates.first[i] = previous_.data() + place(x + left + i, y + dy);
      whole_small_differences(current_.data() + place(x, y), stride_, candidates, sums);
      for (int i = 0; i < kCandidates; ++i) {
        const Shift shift = 4 * kCoarse * Shift{left + i, dy};
        const std::uint32_t cost = sums[i] + price(shift, {}) / (kCoarse * kCoarse);
        if (cost >= best) continue;
        best = cost;
        found = shift;
      }
    }
  }
  return found;
}

}  // namespace actio::motion
