#include "motion/flow_scenes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <utility>

#include "core/rng.h"

namespace actio::testing {
namespace {

struct Point {
  double x, y;
};

using Field = std::function<Point(double, double)>;

// Smooth noise on a lattice, by quintic interpolation: a continuous picture, so that warping it makes no resampling error.
class Texture {
 public:
  explicit Texture(std::uint64_t seed) {
    Rng rng(seed);
    for (double& value : lattice_) value = rng.uniform(-1, 1);
  }

  double at(double x, double y) const {
    double value = 128, height = 44;
    for (double wavelength = 48; wavelength > 3; wavelength /= 2, height *= 0.72) {
      value += height * octave(x / wavelength + 100 + wavelength, y / wavelength + 100 - wavelength);
    }
    return value;
  }

 private:
  static constexpr int kSide = 256;

  double node(int x, int y) const { return lattice_[(y & (kSide - 1)) * kSide + (x & (kSide - 1))]; }

  double octave(double x, double y) const {
    const double fx = std::floor(x), fy = std::floor(y);
    const auto smooth = [](double t) { return t * t * t * (t * (t * 6 - 15) + 10); };
    const double sx = smooth(x - fx), sy = smooth(y - fy);
    const int ix = static_cast<int>(fx), iy = static_cast<int>(fy);
    const double top = node(ix, iy) + sx * (node(ix + 1, iy) - node(ix, iy));
    const double bottom = node(ix, iy + 1) + sx * (node(ix + 1, iy + 1) - node(ix, iy + 1));
    return top + sy * (bottom - top);
  }

  std::array<double, kSide * kSide> lattice_;
};

std::uint8_t grey(double value) { return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)); }

FlowScene empty_scene(std::string name, int width, int height) {
  return {std::move(name), Tensor({height, width}, DType::kU8), Tensor({height, width}, DType::kU8),
          Tensor({2, height, width})};
}

// `faint` is the share of the contrast that is left in the faintest places of the texture; 1 for an even texture.
FlowScene warped(std::string name, int width, int height, std::uint64_t seed, const Field& field, double faint = 1) {
  FlowScene scene = empty_scene(std::move(name), width, height);
  const auto texture = std::make_unique<Texture>(seed);
  Rng noise(seed, 1);
  const auto colour = [&](double x, double y) {
    const double strong = 0.5 + 0.5 * std::sin(x / 17 + 0.6 * std::sin(y / 23)) * std::sin(y / 19);
    return 128 + (texture->at(x, y) - 128) * (faint + (1 - faint) * strong * strong);
  };
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const std::int64_t i = static_cast<std::int64_t>(y) * width + x;
      const Point u = field(x, y);
      scene.first.data<std::uint8_t>()[i] = grey(colour(x + u.x, y + u.y) + noise.normal());
      scene.second.data<std::uint8_t>()[i] = grey(colour(x, y) + noise.normal());
      scene.flow.data<float>()[i] = static_cast<float>(u.x);
      scene.flow.data<float>()[i + scene.first.numel()] = static_cast<float>(u.y);
    }
  }
  return scene;
}

FlowScene moving_apart(int width, int height, std::uint64_t seed) {
  FlowScene scene = empty_scene("two objects moving apart", width, height);
  const std::array<std::unique_ptr<Texture>, 3> textures = {
      std::make_unique<Texture>(seed), std::make_unique<Texture>(seed + 1), std::make_unique<Texture>(seed + 2)};
  const std::array<Point, 3> moves = {Point{0.5, -0.3}, Point{-3.4, 1.2}, Point{2.7, -1.6}};
  const auto layer = [&](double x, double y) {
    const double side = std::min(width, height);
    const auto inside = [&](double cx, double cy, double radius) {
      return std::hypot(x - cx * width, y - cy * height) < radius * side;
    };
    return inside(0.36, 0.5, 0.2) ? 1 : inside(0.66, 0.46, 0.17) ? 2 : 0;
  };
  Rng noise(seed, 1);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const std::int64_t i = static_cast<std::int64_t>(y) * width + x;
      const int here = layer(x, y);
      int there = 0;
      for (int k = 1; k <= 2; ++k) {
        if (layer(x - moves[k].x, y - moves[k].y) == k) there = k;
      }
      scene.first.data<std::uint8_t>()[i] = grey(textures[here]->at(x, y) + noise.normal());
      scene.second.data<std::uint8_t>()[i] =
          grey(textures[there]->at(x - moves[there].x, y - moves[there].y) + noise.normal());
      scene.flow.data<float>()[i] = static_cast<float>(moves[here].x);
      scene.flow.data<float>()[i + scene.first.numel()] = static_cast<float>(moves[here].y);
    }
  }
  return scene;
}

}  // namespace

std::vector<FlowScene> flow_scenes(int width, int height, std::uint64_t seed) {
  const double cx = 0.5 * width, cy = 0.5 * height, pi = std::numbers::pi;
  std::array<double, 8> phase{};
  Rng rng(seed, 2);
  for (double& value : phase) value = rng.uniform(0, 2 * pi);
  std::vector<FlowScene> scenes;
  scenes.push_back(warped("translation by fractions", width, height, seed + 10, [](double, double) {
    return Point{0.37, -0.61};
  }));
  scenes.push_back(warped("translation by several", width, height, seed + 20, [](double, double) {
    return Point{6.3, -3.8};
  }));
  scenes.push_back(warped("rotation", width, height, seed + 30, [&](double x, double y) {
    const double a = 0.035;
    return Point{std::cos(a) * (x - cx) - std::sin(a) * (y - cy) + cx - x,
                 std::sin(a) * (x - cx) + std::cos(a) * (y - cy) + cy - y};
  }));
  scenes.push_back(warped("zoom", width, height, seed + 40, [&](double x, double y) {
    return Point{0.03 * (x - cx), 0.03 * (y - cy)};
  }));
  scenes.push_back(warped("smooth deformation", width, height, seed + 50, [&](double x, double y) {
    const auto wave = [&](int k, double size) {
      return size * std::sin(2 * pi * x / 130 + phase[k]) * std::cos(2 * pi * y / 110 + phase[k + 1]) +
             0.5 * size * std::sin(2 * pi * (x + y) / 70 + phase[k + 2]);
    };
    return Point{wave(0, 2.4), wave(4, 1.9)};
  }));
  scenes.push_back(warped(
      "faint texture", width, height, seed + 70,
      [&](double x, double y) {
        return Point{2.3 + 0.012 * (x - cx) - 0.02 * (y - cy), -1.4 + 0.02 * (x - cx) + 0.012 * (y - cy)};
      },
      0.03));
  scenes.push_back(moving_apart(width, height, seed + 60));
  return scenes;
}

double end_point_error(const Tensor& flow, const Tensor& truth) {
  const std::int64_t size = flow.numel() / 2;
  const float *a = flow.data<float>(), *b = truth.data<float>();
  double sum = 0;
  for (std::int64_t i = 0; i < size; ++i) sum += std::hypot(a[i] - b[i], a[i + size] - b[i + size]);
  return sum / static_cast<double>(size);
}

}  // namespace actio::testing
