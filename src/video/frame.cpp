#include "video/frame.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"
#include "video/ffmpeg_handles.h"

namespace actio::video {
namespace {

// Exact rounding and bit-exact code paths: the same picture gives the same pixels on every machine.
constexpr int kScalerFlags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT;
constexpr int kAlignedPixels = 32;  // rows of this many pixels let vector code write whole registers

AVPixelFormat format_of(const AVFrame& picture) { return static_cast<AVPixelFormat>(picture.format); }

// Setting a scaler up costs more than using it; pictures of one video share one.
class ScalerCache {
 public:
  SwsContext* get(const AVFrame& picture) {
    const std::array<int, 5> key{picture.width, picture.height, picture.format, picture.colorspace, picture.color_range};
    if (scaler_ && key == key_) return scaler_.get();
    scaler_.reset(sws_getContext(picture.width, picture.height, format_of(picture), picture.width, picture.height,
                                 AV_PIX_FMT_RGB24, kScalerFlags, nullptr, nullptr, nullptr));
    if (!scaler_) {
      fail_data("a picture of {} x {} pixels in format {} cannot be turned into RGB", picture.width, picture.height,
                picture.format);
    }
    int *inverse = nullptr, *table = nullptr;
    int source_range = 0, target_range = 0, brightness = 0, contrast = 0, saturation = 0;
    if (sws_getColorspaceDetails(scaler_.get(), &inverse, &source_range, &table, &target_range, &brightness, &contrast,
                                 &saturation) >= 0) {
      if (picture.color_range == AVCOL_RANGE_JPEG) source_range = 1;
      const int* coefficients = sws_getCoefficients(picture.colorspace);
      sws_setColorspaceDetails(scaler_.get(), coefficients, source_range, table, target_range, brightness, contrast,
                               saturation);
    }
    key_ = key;
    return scaler_.get();
  }

 private:
  ScalerHandle scaler_;
  std::array<int, 5> key_{};
};

void convert(const AVFrame& picture, std::uint8_t* target, std::int64_t row_bytes) {
  thread_local ScalerCache cache;
  std::uint8_t* planes[4] = {target, nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(row_bytes), 0, 0, 0};
  if (sws_scale(cache.get(picture), picture.data, picture.linesize, 0, picture.height, planes, strides) != picture.height) {
    fail_data("a picture of {} x {} pixels cannot be turned into RGB", picture.width, picture.height);
  }
}

// Copies rows of `row_bytes` into a dense picture turned clockwise by `degrees`.
void turn(const std::uint8_t* source, std::int64_t row_bytes, int width, int height, int degrees, std::uint8_t* target) {
  if (degrees == 0) {
    for (int y = 0; y < height; ++y) std::memcpy(target + 3LL * width * y, source + row_bytes * y, 3U * width);
    return;
  }
  const std::int64_t target_width = degrees == 180 ? width : height;
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* from = source + row_bytes * y;
    for (int x = 0; x < width; ++x, from += 3) {
      const std::int64_t tx = degrees == 90 ? height - 1 - y : degrees == 180 ? width - 1 - x : y;
      const std::int64_t ty = degrees == 90 ? x : degrees == 180 ? height - 1 - y : width - 1 - x;
      std::memcpy(target + 3 * (ty * target_width + tx), from, 3);
    }
  }
}

}  // namespace

Tensor Frame::rgb() const {
  if (!picture) fail("frame {} holds no picture", index);
  Tensor pixels({height, width, 3}, DType::kU8);
  const AVFrame& source = *picture;
  if (rotation_degrees == 0 && source.width % kAlignedPixels == 0) {
    convert(source, pixels.data<std::uint8_t>(), 3LL * source.width);
    return pixels;
  }
  const std::int64_t padded = (source.width + kAlignedPixels - 1) / kAlignedPixels * kAlignedPixels;
  Tensor scratch({source.height + 1, padded, 3}, DType::kU8);
  convert(source, scratch.data<std::uint8_t>(), 3 * padded);
  turn(scratch.data<std::uint8_t>(), 3 * padded, source.width, source.height, rotation_degrees, pixels.data<std::uint8_t>());
  return pixels;
}

}  // namespace actio::video
