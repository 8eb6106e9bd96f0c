#include "support/synthetic_clip.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "video/encoder.h"

#if defined(__SANITIZE_ADDRESS__)
// The encoders behind FFmpeg lose a few bytes of their own settings.
extern "C" const char* __lsan_default_suppressions() { return "leak:libx264.so\nleak:libx265.so\n"; }
#endif

namespace actio::testing {
namespace {

constexpr int kBlock = 8;  // pixels; two rows of eight blocks: 12 bits of index, 4 of check

double lattice(std::int64_t x, std::int64_t y, std::uint64_t seed) {
  std::uint64_t z = seed * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(x) * 0xBF58476D1CE4E5B9ULL +
                    static_cast<std::uint64_t>(y) * 0x94D049BB133111EBULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

std::array<double, 4> cubic_weights(double t) {
  const double s = 1 - t;
  return {s * s * s / 6, (3 * t * t * t - 6 * t * t + 4) / 6, (3 * s * s * s - 6 * s * s + 4) / 6, t * t * t / 6};
}

// Random values on a grid, joined by cubic B-splines: smooth, so that it can be sampled at fractions of a pixel, and never
// repeating, so that every block matches at one place only.
double noise(double x, double y, double spacing, std::uint64_t seed) {
  const double gx = x / spacing, gy = y / spacing;
  const auto ix = static_cast<std::int64_t>(std::floor(gx)), iy = static_cast<std::int64_t>(std::floor(gy));
  const auto wx = cubic_weights(gx - static_cast<double>(ix)), wy = cubic_weights(gy - static_cast<double>(iy));
  double sum = 0;
  for (int j = 0; j < 4; ++j) {
    for (int i = 0; i < 4; ++i) sum += wx[i] * wy[j] * lattice(ix + i - 1, iy + j - 1, seed);
  }
  return sum;
}

std::uint32_t index_bits(int index) {
  const std::uint32_t value = static_cast<std::uint32_t>(index) & 0xFFF;
  const std::uint32_t check = (value ^ (value >> 4) ^ (value >> 8) ^ 0xA) & 0xF;
  return value << 4 | check;
}

}  // namespace

Tensor synthetic_frame(const SyntheticClip& clip, int index) {
  if (clip.width < kIndexWidth || clip.height < kIndexHeight)
    fail_usage("a synthetic clip of {} x {}", clip.width, clip.height);
  Tensor rgb({clip.height, clip.width, 3}, DType::kU8);
  auto* pixel = rgb.data<std::uint8_t>();
  const std::uint32_t bits = index_bits(index);
  for (int y = 0; y < clip.height; ++y) {
    for (int x = 0; x < clip.width; ++x, pixel += 3) {
      if (x < kIndexWidth && y < kIndexHeight) {
        const int bit = y / kBlock * (kIndexWidth / kBlock) + x / kBlock;
        std::fill_n(pixel, 3, (bits >> bit & 1) != 0 ? std::uint8_t{235} : std::uint8_t{16});
        continue;
      }
      const double tx = x - clip.dx * index, ty = y - clip.dy * index;
      const double fine = noise(tx, ty, 4, clip.seed), coarse = noise(tx, ty, 19, clip.seed + 1);
      const double light = 128 + 330 * (fine - 0.5) + 260 * (coarse - 0.5);
      for (int c = 0; c < 3; ++c) {
        pixel[c] = static_cast<std::uint8_t>(std::clamp(light + 60 * (coarse - 0.5) * (c - 1), 0.0, 255.0));
      }
    }
  }
  return rgb;
}

void write_synthetic_clip(const SyntheticClip& clip) {
  video::EncoderOptions options;
  options.codec = clip.codec;
  options.width = clip.width;
  options.height = clip.height;
  options.frames_per_second = clip.frames_per_second;
  options.gop = clip.gop;
  options.b_frames = clip.b_frames;
  options.references = clip.references;
  options.quality = clip.quality;
  options.rotation_degrees = clip.rotation_degrees;
  options.mirrored = clip.mirrored;
  options.codec_options = clip.codec_options;
  video::Encoder encoder(clip.path, options);
  for (int i = 0; i < clip.frames; ++i) encoder.write(synthetic_frame(clip, i));
  encoder.close();
}

std::int64_t read_index(const Tensor& rgb) {
  if (rgb.shape().size() != 3 || rgb.dim(0) < kIndexHeight || rgb.dim(1) < kIndexWidth) return -1;
  const auto* pixels = rgb.data<std::uint8_t>();
  std::uint32_t bits = 0;
  for (int bit = 0; bit < 16; ++bit) {
    const int left = bit % 8 * kBlock + kBlock / 4, top = bit / 8 * kBlock + kBlock / 4;
    int sum = 0;
    for (int y = top; y < top + kBlock / 2; ++y) {
      for (int x = left; x < left + kBlock / 2; ++x) sum += pixels[(y * rgb.dim(1) + x) * 3 + 1];
    }
    if (sum > 128 * (kBlock / 2) * (kBlock / 2)) bits |= 1U << bit;
  }
  const auto index = static_cast<int>(bits >> 4);
  return index_bits(index) == bits ? index : -1;
}

}  // namespace actio::testing
