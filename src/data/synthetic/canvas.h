// data/synthetic: draws shapes by their signed distance, with smooth edges. In: shapes in pixels. Out: an RGB picture.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "core/tensor.h"

namespace actio::data::synthetic {

struct Point {
  double x = 0, y = 0;
};

inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
inline Point operator*(double k, Point a) { return {k * a.x, k * a.y}; }
inline Point mix(Point a, Point b, double t) { return a + t * (b - a); }

struct Colour {
  float red = 0, green = 0, blue = 0;  // 0..255
};

inline Colour operator*(float k, Colour c) { return {k * c.red, k * c.green, k * c.blue}; }

struct Capsule {
  Point from, to;
  double from_radius = 1, to_radius = 1;  // pixels
  Colour colour;
  int bands = 0;  // darker rings across it: clothes with a pattern
};

struct Box {
  Point centre;
  double half_width = 1, half_height = 1, rounding = 1;  // pixels
  Colour colour;
  int bands = 0;  // darker upright bands
};

// Coordinates are pixels, y down; the middle of the first pixel is (0.5, 0.5). Shapes may lie outside of the picture.
class Canvas {
 public:
  Canvas(int width, int height) : width_(width), height_(height), pixels_(static_cast<std::size_t>(width) * height * 3) {}

  int width() const { return width_; }
  int height() const { return height_; }
  float* row(int y) { return pixels_.data() + static_cast<std::size_t>(y) * width_ * 3; }

  void draw(const Capsule& capsule);
  void draw(const Box& box);
  // Darkens a soft ellipse; `strength` 0..1 in its middle.
  void shadow(Point centre, double half_width, double half_height, double strength);

  // Adds noise of the given deviation and rounds.
  // Shape: u8 [height, width, 3].
  void develop(double noise, Rng& rng, Tensor& rgb) const;

 private:
  template <typename Shade>
  void paint(Point low, Point high, const Shade& shade);

  int width_, height_;
  std::vector<float> pixels_;  // [height, width, 3]
};

}  // namespace actio::data::synthetic
