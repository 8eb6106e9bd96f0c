#include "data/synthetic/backdrop.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace actio::data::synthetic {
namespace {

// Smooth noise between -1 and 1 from a lattice of random values.
class ValueNoise {
 public:
  ValueNoise(double cell, Rng& rng)
      : cell_(cell), shift_x_(rng.uniform(0, 64)), shift_y_(rng.uniform(0, 64)), lattice_(64 * 64) {
    for (float& value : lattice_) value = static_cast<float>(rng.uniform(-1, 1));
  }

  double at(double x, double y) const {
    const double u = x / cell_ + shift_x_, v = y / cell_ + shift_y_;
    const double fu = std::floor(u), fv = std::floor(v);
    const double su = smooth(u - fu), sv = smooth(v - fv);
    const int i = static_cast<int>(fu), j = static_cast<int>(fv);
    const double upper = node(i, j) + su * (node(i + 1, j) - node(i, j));
    const double lower = node(i, j + 1) + su * (node(i + 1, j + 1) - node(i, j + 1));
    return upper + sv * (lower - upper);
  }

 private:
  static double smooth(double t) { return t * t * (3 - 2 * t); }
  double node(int i, int j) const { return lattice_[static_cast<std::size_t>((j & 63) * 64 + (i & 63))]; }

  double cell_, shift_x_, shift_y_;
  std::vector<float> lattice_;
};

enum class Pattern { kPlain, kStripes, kTiles, kNoise, kRings, kCount };

// Two colours and a rule that mixes them.
class Surface {
 public:
  explicit Surface(Rng& rng)
      : pattern_(static_cast<Pattern>(rng.below(static_cast<std::int64_t>(Pattern::kCount)))),
        base_(any_colour(rng)),
        other_(mixed(base_, any_colour(rng), rng.uniform(0.15, 0.6))),
        period_(rng.uniform(7, 34)),
        angle_(rng.uniform(0, std::numbers::pi)),
        origin_{rng.uniform(0, 240), rng.uniform(0, 180)},
        tilt_{rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25)},
        grain_(rng.uniform(1.5, 5), rng),
        clouds_(rng.uniform(14, 40), rng),
        grain_strength_(rng.uniform(0.02, 0.12)) {}

  Colour at(double x, double y) const {
    const Colour colour = mixed(base_, other_, std::clamp(share(x, y), 0.0, 1.0));
    const double slope = 1 + tilt_.x * (x / 120 - 1) + tilt_.y * (y / 90 - 1);
    return static_cast<float>(slope + grain_strength_ * grain_.at(x, y)) * colour;
  }

 private:
  static Colour any_colour(Rng& rng) {
    const double light = rng.uniform(60, 190);
    const auto channel = [&] { return static_cast<float>(light + rng.uniform(-50, 50)); };
    const float red = channel(), green = channel(), blue = channel();
    return {red, green, blue};
  }

  static Colour mixed(Colour a, Colour b, double t) {
    const float k = static_cast<float>(t);
    return {a.red + k * (b.red - a.red), a.green + k * (b.green - a.green), a.blue + k * (b.blue - a.blue)};
  }

  double share(double x, double y) const {
    const double u = x * std::cos(angle_) + y * std::sin(angle_), v = y * std::cos(angle_) - x * std::sin(angle_);
    const auto wave = [&](double at) {
      return std::clamp(0.5 + 2.5 * std::sin(2 * std::numbers::pi * at / period_), 0.0, 1.0);
    };
    switch (pattern_) {
      case Pattern::kStripes: return wave(u);
      case Pattern::kTiles: return std::fabs(wave(u) - wave(v));
      case Pattern::kNoise: return 0.5 + 0.7 * clouds_.at(x, y);
      case Pattern::kRings: return wave(std::hypot(x - origin_.x, y - origin_.y));
      default: return 0.5 + 0.2 * clouds_.at(x, y);
    }
  }

  Pattern pattern_;
  Colour base_, other_;
  double period_, angle_;
  Point origin_, tilt_;
  ValueNoise grain_, clouds_;
  double grain_strength_;
};

}  // namespace

Backdrop::Backdrop(int width, int height, double horizon, Rng& rng)
    : width_(width + 2 * kMargin), height_(height + 2 * kMargin), pixels_(static_cast<std::size_t>(width_) * height_ * 3) {
  const Surface wall(rng), floor(rng);
  Canvas canvas(width_, height_);
  for (int y = 0; y < height_; ++y) {
    const bool on_wall = y - kMargin < horizon;
    float* pixel = canvas.row(y);
    for (int x = 0; x < width_; ++x, pixel += 3) {
      const Colour colour = on_wall ? wall.at(x, y) : floor.at(x, 2.2 * (y - horizon));
      pixel[0] = colour.red;
      pixel[1] = colour.green;
      pixel[2] = colour.blue;
    }
  }
  const std::int64_t furniture = rng.below(4);
  for (std::int64_t i = 0; i < furniture; ++i) {
    const Surface front(rng);
    const Point centre{rng.uniform(0, width_), rng.uniform(0.1, 0.8) * horizon};
    const double half_width = rng.uniform(5, 26), half_height = rng.uniform(5, 26);
    canvas.draw(Box{centre, half_width, half_height, rng.uniform(0.5, 4), front.at(centre.x, centre.y),
                    static_cast<int>(rng.below(5))});
  }
  std::copy(canvas.row(0), canvas.row(0) + pixels_.size(), pixels_.begin());
}

void Backdrop::fill(Canvas& canvas, Point shift) const {
  const double limit = kMargin - 1;
  const double x = kMargin - std::clamp(shift.x, -limit, limit), y = kMargin - std::clamp(shift.y, -limit, limit);
  const int left = static_cast<int>(x), top = static_cast<int>(y);
  const float fx = static_cast<float>(x - left), fy = static_cast<float>(y - top);
  const float weights[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
  const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(width_) * 3;
  for (int row = 0; row < canvas.height(); ++row) {
    const float* source = pixels_.data() + (top + row) * stride + left * 3;
    float* target = canvas.row(row);
    for (std::ptrdiff_t i = 0; i < canvas.width() * 3; ++i) {
      target[i] = weights[0] * source[i] + weights[1] * source[i + 3] + weights[2] * source[i + stride] +
                  weights[3] * source[i + stride + 3];
    }
  }
}

}  // namespace actio::data::synthetic
