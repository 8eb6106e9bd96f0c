// Small videos whose frames tell their index.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/tensor.h"
#include "video/encoder.h"

namespace actio::data::testing {

struct ClipShape {
  int width = 64, height = 48;
  std::int64_t frames = 30;
  std::string codec = "libx264";
};

// The grey level that frame `index` of write_grey_clip has.
inline int grey_of(std::int64_t index) { return static_cast<int>(30 + 6 * (index % 32)); }

template <typename Pixel>
void write_clip(const std::string& path, const ClipShape& shape, const Pixel& pixel) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  video::EncoderOptions options;
  options.codec = shape.codec;
  options.width = shape.width;
  options.height = shape.height;
  options.gop = 10;
  options.quality = shape.codec == "libx264" ? 8 : 2;
  video::Encoder encoder(path, options);
  for (std::int64_t t = 0; t < shape.frames; ++t) {
    Tensor rgb({shape.height, shape.width, 3}, DType::kU8);
    for (int y = 0; y < shape.height; ++y) {
      for (int x = 0; x < shape.width; ++x) {
        const auto value = static_cast<std::uint8_t>(pixel(t, x, y));
        for (int c = 0; c < 3; ++c) rgb.data<std::uint8_t>()[(y * shape.width + x) * 3 + c] = value;
      }
    }
    encoder.write(rgb);
  }
  encoder.close();
}

// Each frame is one grey.
inline void write_grey_clip(const std::string& path, const ClipShape& shape = {}) {
  write_clip(path, shape, [](std::int64_t t, int, int) { return grey_of(t); });
}

// A texture that moves by (dx, dy) pixels a frame.
inline void write_moving_clip(const std::string& path, const ClipShape& shape, double dx, double dy) {
  write_clip(path, shape, [&](std::int64_t t, int x, int y) {
    const double u = x - dx * static_cast<double>(t), v = y - dy * static_cast<double>(t);
    return std::lround(128 + 45 * std::sin(0.31 * u + 0.13 * v) + 40 * std::sin(0.17 * u - 0.29 * v) +
                       25 * std::sin(0.7 * u) * std::sin(0.61 * v));
  });
}

}  // namespace actio::data::testing
