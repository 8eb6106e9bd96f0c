#include "explain/cam_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/unfinished_file.h"
#include "data/transform.h"
#include "explain/heat.h"
#include "motion/colour_wheel.h"
#include "video/encoder.h"

namespace actio::explain {
namespace {

constexpr std::int64_t kGap = 4;       // pixels between tiles
constexpr float kMapOpacity = 0.5F;       // of a map over a picture
constexpr double kSmallestFull = 8.0;  // levels of motion that have full colour, at least: noise stays pale

std::uint8_t level_of(double value) { return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L)); }

// What one row of an input showed, in levels. Shape: f32 [C, S, S] -> u8 [S, S, 3] of its first frame or difference.
Tensor colours(std::span<const float> row, const InputSpec& input) {
  const std::int64_t size = input.size;
  const double middle = input.kind == InputKind::kRgbDifference ? 128 : 0;
  Tensor picture({size, size, 3}, DType::kU8);
  auto out = picture.values<std::uint8_t>();
  for (std::int64_t c = 0; c < 3; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    for (std::int64_t i = 0; i < size * size; ++i) {
      const double level = row[static_cast<std::size_t>(c * size * size + i)] * input.std[channel] + (middle > 0 ? 0 : input.mean[channel]);
      out[static_cast<std::size_t>(3 * i + c)] = level_of(level + middle);
    }
  }
  return picture;
}

// The mean of a snippet's fields as a motion image. Shape: f32 [2 * L, S, S] -> u8 [2, S, S].
Tensor mean_motion(std::span<const float> row, const InputSpec& input) {
  const std::int64_t plane = input.size * input.size;
  Tensor image({2, input.size, input.size}, DType::kU8);
  auto out = image.values<std::uint8_t>();
  for (std::int64_t i = 0; i < 2 * plane; ++i) {
    double sum = 0;
    for (std::int64_t field = 0; field < input.length; ++field) sum += row[static_cast<std::size_t>(field * 2 * plane + i)];
    out[static_cast<std::size_t>(i)] = level_of(sum / static_cast<double>(input.length) * input.std[0] + input.mean[0]);
  }
  return image;
}

// The length that one place in twenty of those that move exceeds.
double full_colour(const std::vector<Tensor>& images) {
  std::vector<double> lengths;
  for (const Tensor& image : images) {
    const auto levels = image.values<std::uint8_t>();
    const std::size_t plane = levels.size() / 2;
    for (std::size_t i = 0; i < plane; ++i) {
      const double length = std::hypot(levels[i] - 128.0, levels[plane + i] - 128.0);
      if (length > 1) lengths.push_back(length);
    }
  }
  if (lengths.empty()) return kSmallestFull;
  const auto place = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() * 19 / 20);
  std::ranges::nth_element(lengths, place);
  return std::max(*place, kSmallestFull);
}

std::span<const float> row_of(const Tensor& input, std::int64_t k) {
  const auto count = static_cast<std::size_t>(input.numel() / input.dim(0));
  return input.values<float>().subspan(static_cast<std::size_t>(k) * count, count);
}

// One tile for each snippet.
std::vector<Tensor> tiles_of(const Tensor& values, const InputSpec& input) {
  std::vector<Tensor> tiles;
  for (std::int64_t k = 0; k < values.dim(0); ++k) tiles.push_back(has_colours(input.kind) ? colours(row_of(values, k), input) : mean_motion(row_of(values, k), input));
  if (has_colours(input.kind)) return tiles;
  const double full = full_colour(tiles);
  for (Tensor& tile : tiles) tile = motion::coloured(tile, full, input.size, input.size);
  motion::draw_wheel(tiles.front());
  return tiles;
}

Tensor overlaid(const Tensor& picture, std::span<const float> map, std::int64_t height, std::int64_t width, float largest) {
  const std::int64_t size = picture.dim(0);
  std::vector<float> wide(static_cast<std::size_t>(size * size));
  const data::Resampler resampler(width, height, {0, 0, static_cast<double>(width), static_cast<double>(height), false}, size);
  resampler.plane(map.data(), wide.data());
  Tensor result = picture.clone();
  auto out = result.values<std::uint8_t>();
  for (std::size_t i = 0; i < wide.size(); ++i) {
    const std::array<float, 3> colour = heat(largest > 0 ? wide[i] / largest : 0);
    for (std::size_t c = 0; c < 3; ++c) out[3 * i + c] = level_of((1 - kMapOpacity) * out[3 * i + c] + kMapOpacity * colour[c]);
  }
  return result;
}

std::vector<Tensor> overlays_of(const HeadMaps& head, const std::vector<Tensor>& pictures) {
  const std::int64_t rows = head.maps.dim(0);
  const float largest = std::ranges::max(head.maps.values<float>());
  std::vector<Tensor> tiles;
  for (std::size_t k = 0; k < pictures.size(); ++k) {
    const std::int64_t row = std::min(static_cast<std::int64_t>(k), rows - 1);
    tiles.push_back(overlaid(pictures[k], row_of(head.maps, row), head.maps.dim(1), head.maps.dim(2), largest));
  }
  return tiles;
}

void place(const Tensor& tile, std::int64_t top, std::int64_t left, Tensor& picture) {
  const std::int64_t row = tile.dim(1) * 3;
  for (std::int64_t y = 0; y < tile.dim(0); ++y) {
    std::copy_n(tile.data<std::uint8_t>() + y * row, row, picture.data<std::uint8_t>() + ((top + y) * picture.dim(1) + left) * 3);
  }
}

Tensor grid(const std::vector<std::vector<Tensor>>& columns) {
  std::int64_t side = 0, rows = 0;
  for (const std::vector<Tensor>& column : columns) {
    side = std::max(side, column.front().dim(0));
    rows = std::max(rows, static_cast<std::int64_t>(column.size()));
  }
  Tensor picture({rows * (side + kGap) - kGap, static_cast<std::int64_t>(columns.size()) * (side + kGap) - kGap, 3}, DType::kU8);
  std::ranges::fill(picture.values<std::uint8_t>(), std::uint8_t{255});
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (std::size_t r = 0; r < columns[c].size(); ++r) {
      place(columns[c][r], static_cast<std::int64_t>(r) * (side + kGap), static_cast<std::int64_t>(c) * (side + kGap), picture);
    }
  }
  return picture;
}

}  // namespace

CamPicture draw(const Cam& cam, const Inputs& inputs) {
  CamPicture picture;
  std::vector<std::vector<Tensor>> columns;
  std::size_t background = 0;  // the first input of frames, else the first
  for (const InputSpec& input : inputs.list) {
    if (input.kind == InputKind::kFrame && (columns.empty() || inputs.list[background].kind != InputKind::kFrame)) background = columns.size();
    columns.push_back(tiles_of(cam.inputs.at(input.name), input));
    picture.columns.push_back(input.name);
  }
  for (const HeadMaps& head : cam.heads) {
    columns.push_back(overlays_of(head, columns[background]));
    picture.columns.push_back("map of " + head.head);
  }
  picture.rgb = grid(columns);
  return picture;
}

void write_png(const std::string& path, const Tensor& rgb) {
  write_then_rename(path, [&](const std::string& unfinished) {
    video::EncoderOptions options;
    options.codec = "png";
    options.width = static_cast<int>(rgb.dim(1));
    options.height = static_cast<int>(rgb.dim(0));
    options.b_frames = 0;
    video::Encoder encoder(unfinished, options);
    encoder.write(rgb);
    encoder.close();
  });
}

}  // namespace actio::explain
