// video: compares the luma of a block with the place in another picture, or in a field of one, that its vector points to.
// In: two planes, a block, a vector. Out: a sum of absolute differences.
#pragma once

#include <cstddef>
#include <cstdint>

struct AVFrame;

namespace actio::video {

// Luma of a picture or of a field.
struct LumaPlane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;
  int width = 0, height = 0;
};

struct Block {
  int x = 0, y = 0;  // top left corner, pixels
  int width = 0, height = 0;
  float motion_x = 0, motion_y = 0;  // from the block to where it was predicted from, pixels
};

// Luma of eight bits that lies in a plane of its own.
bool has_plain_luma(const AVFrame& picture);
bool same_layout(const AVFrame& picture, const AVFrame& other);

LumaPlane luma_of(const AVFrame& picture);
LumaPlane field_of(const AVFrame& picture, int parity);  // 0: the lines 0, 2, ...

// Where a block lies and where its vector points to, the same for all planes of one size.
class LumaProbe {
 public:
  LumaProbe(const Block& block, const LumaPlane& plane);

  // Sum over the rows first, first + step, ... of the block; bilinear between pixels, which is near enough to tell pictures
  // apart. A row or column outside of a picture is the nearest one inside.
  int misfit(const LumaPlane& here, const LumaPlane& there, int first = 0, int step = 1) const;

  int rows() const { return bottom_ - top_; }  // inside of the plane
  int width() const { return width_; }

 private:
  // In eighths: 64 in all, so that sixteen bits hold everything.
  struct Weights {
    std::uint16_t upper0 = 0, upper1 = 0, lower0 = 0, lower1 = 0;
  };

  int left_, top_, bottom_, width_;
  int move_x_ = 0, move_y_ = 0;
  bool inside_ = false;
  Weights weights_;
};

}  // namespace actio::video
