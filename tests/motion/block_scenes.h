// Small grey pictures that move as they are told, for tests of the block search.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "core/rng.h"
#include "motion/block_search.h"

namespace actio::testing {

struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;

  Image(int w, int h, std::uint8_t value = 0) : width(w), height(h), pixels(static_cast<std::size_t>(w * h), value) {}
  std::uint8_t& at(int x, int y) { return pixels[static_cast<std::size_t>(y * width + x)]; }
  motion::GreyPicture grey() const { return {pixels.data(), width}; }
};

// Smooth waves in many directions: a texture that is known between its pixels, too.
class Texture {
 public:
  explicit Texture(std::uint64_t seed) {
    Rng rng(seed);
    for (auto& wave : waves_) {
      const double angle = rng.uniform(0, std::numbers::pi), length = rng.uniform(5, 40);
      wave = {2 * std::numbers::pi / length * std::cos(angle), 2 * std::numbers::pi / length * std::sin(angle),
              rng.uniform(0, 2 * std::numbers::pi)};
    }
  }

  std::uint8_t at(double x, double y) const {
    double sum = 0;
    for (const auto& wave : waves_) sum += std::sin(wave[0] * x + wave[1] * y + wave[2]);
    return static_cast<std::uint8_t>(std::clamp(128 + 22 * sum, 0.0, 255.0) + 0.5);
  }

  // Moved right by dx and down by dy.
  Image picture(int width, int height, double dx = 0, double dy = 0) const {
    Image image(width, height);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) image.at(x, y) = at(x - dx, y - dy);
    }
    return image;
  }

 private:
  std::array<std::array<double, 3>, 24> waves_;
};

inline Image noise(int width, int height, std::uint64_t seed) {
  Image image(width, height);
  Rng rng(seed);
  for (auto& pixel : image.pixels) pixel = static_cast<std::uint8_t>(rng.below(256));
  return image;
}

inline void add_noise(Image& image, double deviation, std::uint64_t seed) {
  Rng rng(seed);
  for (auto& pixel : image.pixels) {
    pixel = static_cast<std::uint8_t>(std::clamp(std::lround(pixel + deviation * rng.normal()), 0L, 255L));
  }
}

}  // namespace actio::testing
