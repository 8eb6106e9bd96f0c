// A clip written anew, as those who publish datasets do: with another codec, size or quality.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

#include "video/decoder.h"
#include "video/encoder.h"

namespace actio::testing {

// `options` without a size keep that of the clip. The mean of what each pixel covers, or the nearest one where it grows.
inline void reencode(const std::string& from, const std::string& to, video::EncoderOptions options) {
  video::Decoder decoder(from);
  if (options.width == 0) options.width = decoder.info().width;
  if (options.height == 0) options.height = decoder.info().height;
  std::filesystem::create_directories(std::filesystem::path(to).parent_path());
  video::Encoder encoder(to, options);
  while (const auto frame = decoder.next()) {
    const Tensor source = frame->rgb();
    Tensor scaled({options.height, options.width, 3}, DType::kU8);
    for (std::int64_t y = 0; y < options.height; ++y) {
      const std::int64_t top = y * source.dim(0) / options.height,
                         bottom = std::max(top + 1, (y + 1) * source.dim(0) / options.height);
      for (std::int64_t x = 0; x < options.width; ++x) {
        const std::int64_t left = x * source.dim(1) / options.width,
                           right = std::max(left + 1, (x + 1) * source.dim(1) / options.width);
        for (std::int64_t c = 0; c < 3; ++c) {
          std::int64_t sum = 0;
          for (std::int64_t v = top; v < bottom; ++v) {
            for (std::int64_t u = left; u < right; ++u) sum += source.data<std::uint8_t>()[(v * source.dim(1) + u) * 3 + c];
          }
          scaled.data<std::uint8_t>()[(y * options.width + x) * 3 + c] =
              static_cast<std::uint8_t>(sum / ((bottom - top) * (right - left)));
        }
      }
    }
    encoder.write(scaled);
  }
  encoder.close();
}

}  // namespace actio::testing
