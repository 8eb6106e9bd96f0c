#include "explain/cam_video.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/unfinished_file.h"
#include "data/crop.h"
#include "data/transform.h"
#include "explain/heat.h"
#include "video/decoder.h"
#include "video/encoder.h"

namespace actio::explain {
namespace {

constexpr int kStrip = 16;         // pixels, height of the line below the picture
constexpr float kOpacity = 0.45F;  // of the map where it is largest

// Adds `factor` times row `row` of a head's maps, scaled to `size` pixels a side.
void add_scaled(const HeadMaps& head, std::int64_t row, double factor, std::int64_t size, std::vector<float>& sum) {
  const std::int64_t height = head.maps.dim(1), width = head.maps.dim(2);
  std::vector<float> wide(sum.size());
  const data::Resampler resampler(width, height, {0, 0, static_cast<double>(width), static_cast<double>(height), false}, size);
  resampler.plane(head.maps.data<float>() + row * height * width, wide.data());
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<float>(factor) * wide[i];
}

// Calls use(row, share of the row) for the rows of a head that belong to snippet k.
template <typename Use>
void for_rows_of(const HeadMaps& head, std::int64_t k, Use use) {
  if (head.granularity == net::Granularity::kSnippet) return use(k, 1.0);
  if (k > 0) use(k - 1, 0.5);
  if (k < head.maps.dim(0)) use(k, 0.5);
}

// Maps of all snippets in one square of `size`, positive parts alone, the largest of all 1.
std::vector<std::vector<float>> fused_maps(const Cam& cam, std::int64_t snippets, std::int64_t size) {
  std::vector<std::vector<float>> maps;
  float largest = 0;
  for (std::int64_t k = 0; k < snippets; ++k) {
    std::vector<float>& map = maps.emplace_back(static_cast<std::size_t>(size * size));
    for (const HeadMaps& head : cam.heads) {
      for_rows_of(head, k, [&](std::int64_t row, double share) { add_scaled(head, row, share * head.weight / static_cast<double>(head.maps.dim(0)), size, map); });
    }
    largest = std::max(largest, std::ranges::max(map));
  }
  for (std::vector<float>& map : maps) {
    for (float& value : map) value = largest > 0 ? std::max(value, 0.0F) / largest : 0;
  }
  return maps;
}

std::size_t nearest(const std::vector<std::int64_t>& sampled, std::int64_t frame) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < sampled.size(); ++k) {
    if (std::abs(sampled[k] - frame) < std::abs(sampled[best] - frame)) best = k;
  }
  return best;
}

void blend(std::uint8_t* pixel, const std::array<float, 3>& colour, float opacity) {
  for (std::size_t c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(std::lround((1 - opacity) * pixel[c] + opacity * colour[c]));
}

class Painter {
 public:
  Painter(const Cam& cam, const Inputs& inputs, std::int64_t frames)
      : cam_(cam), framing_(inputs.framing), size_(inputs.list.front().size), frames_(frames),
        maps_(fused_maps(cam, static_cast<std::int64_t>(cam.answer.sampled.size()), size_)), shares_(shares_of(cam)) {
    for (const double share : shares_) largest_ = std::max(largest_, share);
  }

  // Shape: u8 [H, W, 3] -> u8 [height, width, 3], cut to even sides, the strip below.
  Tensor paint(const video::Frame& frame, std::int64_t height, std::int64_t width) const {
    const Tensor rgb = frame.rgb();
    Tensor out({height, width, 3}, DType::kU8);
    const std::int64_t rows = std::min<std::int64_t>(height - kStrip, rgb.dim(0)), columns = std::min(width, rgb.dim(1));
    for (std::int64_t y = 0; y < rows; ++y) std::copy_n(rgb.data<std::uint8_t>() + y * rgb.dim(1) * 3, columns * 3, out.data<std::uint8_t>() + y * width * 3);
    const std::size_t k = nearest(cam_.answer.sampled, frame.index);
    cover(maps_[k], data::centre_crop(frame.width, frame.height, framing_), rows, columns, out);
    strip(frame.index, out);
    return out;
  }

 private:
  void cover(const std::vector<float>& map, const data::CropBox& box, std::int64_t rows, std::int64_t columns, Tensor& out) const {
    for (std::int64_t y = 0; y < rows; ++y) {
      const auto v = static_cast<std::int64_t>(std::floor((static_cast<double>(y) + 0.5 - box.top) / box.height * static_cast<double>(size_)));
      if (v < 0 || v >= size_) continue;
      for (std::int64_t x = 0; x < columns; ++x) {
        const auto u = static_cast<std::int64_t>(std::floor((static_cast<double>(x) + 0.5 - box.left) / box.width * static_cast<double>(size_)));
        if (u < 0 || u >= size_) continue;
        const float share = map[static_cast<std::size_t>(v * size_ + u)];
        blend(out.data<std::uint8_t>() + (y * out.dim(1) + x) * 3, heat(share), kOpacity * std::sqrt(share));
      }
    }
  }

  void strip(std::int64_t frame, Tensor& out) const {
    const std::int64_t width = out.dim(1), top = out.dim(0) - kStrip;
    const std::int64_t mark = frames_ > 1 ? frame * (width - 1) / (frames_ - 1) : 0;
    for (std::int64_t x = 0; x < width; ++x) {
      const std::size_t k = nearest(cam_.answer.sampled, x * frames_ / width);
      std::array<float, 3> colour = heat(largest_ > 0 ? static_cast<float>(shares_[k] / largest_) : 0);
      if (std::abs(x - mark) <= 1) colour = {255, 255, 255};
      for (std::int64_t y = top; y < out.dim(0); ++y) blend(out.data<std::uint8_t>() + (y * width + x) * 3, colour, 1);
    }
  }

  const Cam& cam_;
  Framing framing_;
  std::int64_t size_, frames_;
  std::vector<std::vector<float>> maps_;
  std::vector<double> shares_;
  double largest_ = 0;
};

std::int64_t write_frames(const Cam& cam, const Inputs& inputs, const std::string& output, const std::stop_token& stop) {
  video::Decoder decoder(cam.video, {}, stop);
  std::optional<video::Encoder> encoder;
  video::EncoderOptions options;
  options.frames_per_second = std::clamp(static_cast<int>(std::lround(decoder.info().frames_per_second)), 1, 240);
  const Painter painter(cam, inputs, cam.answer.frames);
  std::int64_t frames = 0;
  while (const std::optional<video::Frame> frame = decoder.next()) {
    if (stop.stop_requested()) fail(ErrorCode::kInterrupted, "{}: its maps were not drawn to the end", cam.video);
    if (!encoder) {
      options.width = std::max(2, frame->width / 2 * 2);
      options.height = std::max(2, frame->height / 2 * 2) + kStrip;
      encoder.emplace(output, options);
    }
    encoder->write(painter.paint(*frame, options.height, options.width));
    ++frames;
  }
  if (encoder) encoder->close();
  return frames;
}

}  // namespace

std::vector<double> shares_of(const Cam& cam) {
  std::vector<double> shares(cam.answer.sampled.size());
  for (std::size_t k = 0; k < shares.size(); ++k) {
    for (const HeadMaps& head : cam.heads) {
      const std::int64_t rows = head.maps.dim(0), cells = head.maps.numel() / rows;
      for_rows_of(head, static_cast<std::int64_t>(k), [&](std::int64_t row, double share) {
        double sum = 0;
        for (const float value : head.maps.values<float>().subspan(static_cast<std::size_t>(row * cells), static_cast<std::size_t>(cells))) sum += value;
        shares[k] += share * head.weight * sum / static_cast<double>(rows * cells);
      });
    }
  }
  return shares;
}

std::int64_t write_cam_video(const Cam& cam, const Inputs& inputs, const std::string& output, const std::stop_token& stop) {
  std::int64_t frames = 0;
  write_then_rename(output, [&](const std::string& unfinished) { frames = write_frames(cam, inputs, unfinished, stop); });
  return frames;
}

}  // namespace actio::explain
