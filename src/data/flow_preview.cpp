#include "data/flow_preview.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/unfinished_file.h"
#include "data/flow_file.h"
#include "motion/colour_wheel.h"
#include "motion/flow_image.h"
#include "video/decoder.h"
#include "video/encoder.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr int kLeastSeen = 2;        // levels; shorter displacements look white
constexpr double kLeastFull = 8;     // levels, so that noise stays pale
constexpr std::int64_t kMostSampled = 64;  // fields that the scale is taken from

// The length, in levels, that has full colour.
double full_levels(const FlowFile& flow) {
  std::vector<std::int64_t> counts(256);
  const std::int64_t step = std::max<std::int64_t>(1, flow.frames() / kMostSampled);
  for (std::int64_t f = 1; f < flow.frames(); f += step) {
    const MotionImage field = flow.field(f);
    const std::int64_t pixels = field.image.numel() / 2;
    const std::uint8_t* x = field.image.data<std::uint8_t>();
    for (std::int64_t i = 0; i < pixels; ++i) {
      const double length = std::hypot(x[i] - int{motion::kNoMotion}, x[i + pixels] - int{motion::kNoMotion});
      ++counts[std::min<std::size_t>(255, static_cast<std::size_t>(length))];
    }
  }
  std::int64_t seen = 0;
  for (std::size_t level = kLeastSeen; level < counts.size(); ++level) seen += counts[level];
  std::int64_t longer = 0;
  for (std::size_t level = counts.size() - 1; level > kLeastSeen; --level) {
    longer += counts[level];
    if (longer * 10 > seen) return std::max(kLeastFull, static_cast<double>(level));
  }
  return kLeastFull;
}

// The frame on the left, its motion on the right, by the nearest pixel where the size is another.
Tensor side_by_side(const Tensor& frame, const MotionImage& field, double full, std::int64_t height, std::int64_t width) {
  Tensor motion = motion::coloured(field.image, full, height, width);
  motion::draw_wheel(motion);
  Tensor both({height, 2 * width, 3}, DType::kU8);
  const std::uint8_t* pixels = frame.data<std::uint8_t>();
  for (std::int64_t y = 0; y < height; ++y) {
    std::uint8_t* target = both.data<std::uint8_t>() + y * 6 * width;
    const std::uint8_t* row = pixels + y * frame.dim(0) / height * frame.dim(1) * 3;
    for (std::int64_t x = 0; x < width; ++x) std::copy_n(row + x * frame.dim(1) / width * 3, 3, target + 3 * x);
    std::copy_n(motion.data<std::uint8_t>() + y * 3 * width, 3 * width, target + 3 * width);
  }
  return both;
}

std::int64_t write_frames(const std::string& video, const FlowFile& flow, double full, const std::string& output,
                          const std::stop_token& stop) {
  video::Decoder decoder(video);
  std::optional<video::Encoder> encoder;
  video::EncoderOptions options;
  options.frames_per_second = std::clamp(static_cast<int>(std::lround(decoder.info().frames_per_second)), 1, 240);
  std::int64_t frames = 0;
  while (const std::optional<video::Frame> frame = decoder.next()) {
    if (stop.stop_requested()) fail(ErrorCode::kInterrupted, "{}: its preview was not finished", video);
    if (frame->index >= flow.frames()) break;
    if (!encoder) {
      options.width = 2 * frame->width;
      options.height = std::max(2, frame->height / 2 * 2);
      encoder.emplace(output, options);
    }
    encoder->write(side_by_side(frame->rgb(), flow.field(frame->index), full, options.height, options.width / 2));
    ++frames;
  }
  if (encoder) encoder->close();
  return frames;
}

}  // namespace

FlowPreview write_flow_preview(const std::string& video, const fs::path& flow_path, const std::string& output,
                               const std::stop_token& stop) {
  const FlowFile flow(flow_path);
  const double full = full_levels(flow);
  std::int64_t frames = 0;
  write_then_rename(output, [&](const std::string& unfinished) { frames = write_frames(video, flow, full, unfinished, stop); });
  const Json& parameters = flow.header().parameters;
  const bool known = parameters.contains("motion_bound") && parameters.at("motion_bound").is_number();
  return {frames, known ? full * parameters.at("motion_bound").get<double>() / 127 : 0};
}

}  // namespace actio::data
