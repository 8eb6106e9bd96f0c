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

// FFmpeg keeps what a damaged header says, which need not be a value of its enum.
template <typename Enum>
int number_of(const Enum& value) {
  int number = 0;
  static_assert(sizeof value == sizeof number);
  std::memcpy(&number, &value, sizeof number);
  return number;
}

// What pictures are turned into.
struct Target {
  AVPixelFormat format;
  const char* name;
};
constexpr Target kRgb{AV_PIX_FMT_RGB24, "RGB"};
constexpr Target kGrey{AV_PIX_FMT_GRAY8, "grey"};

// Setting a scaler up costs more than using it; pictures of one video share one.
class ScalerCache {
 public:
  explicit ScalerCache(const Target& target) : target_(target) {}

  SwsContext* get(const AVFrame& picture) {
    const std::array<int, 5> key{picture.width, picture.height, picture.format, number_of(picture.colorspace),
                                 number_of(picture.color_range)};
    if (scaler_ && key == key_) return scaler_.get();
    scaler_.reset(sws_getContext(picture.width, picture.height, format_of(picture), picture.width, picture.height,
                                 target_.format, kScalerFlags, nullptr, nullptr, nullptr));
    if (!scaler_) {
      fail_data("a picture of {} x {} pixels in format {} cannot be turned into {}", picture.width, picture.height,
                picture.format, target_.name);
    }
    int *inverse = nullptr, *table = nullptr;
    int source_range = 0, target_range = 0, brightness = 0, contrast = 0, saturation = 0;
    if (sws_getColorspaceDetails(scaler_.get(), &inverse, &source_range, &table, &target_range, &brightness, &contrast,
                                 &saturation) >= 0) {
      if (number_of(picture.color_range) == AVCOL_RANGE_JPEG) source_range = 1;
      const int* coefficients = sws_getCoefficients(number_of(picture.colorspace));
      sws_setColorspaceDetails(scaler_.get(), coefficients, source_range, table, target_range, brightness, contrast,
                               saturation);
    }
    key_ = key;
    return scaler_.get();
  }

 private:
  const Target& target_;
  ScalerHandle scaler_;
  std::array<int, 5> key_{};
};

void convert(const AVFrame& picture, ScalerCache& cache, const Target& format, std::uint8_t* target,
             std::int64_t row_bytes) {
  std::uint8_t* planes[4] = {target, nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(row_bytes), 0, 0, 0};
  if (sws_scale(cache.get(picture), picture.data, picture.linesize, 0, picture.height, planes, strides) != picture.height) {
    fail_data("a picture of {} x {} pixels cannot be turned into {}", picture.width, picture.height, format.name);
  }
}

struct Rows {
  const std::uint8_t* pixels;
  std::int64_t row_bytes;
  int width, height;
};

// Where the pixels of a picture lie in the displayed one: steps from one to its neighbours. Units: pixels.
struct Places {
  Places(int width, int height, const Orientation& orientation) {
    const std::int64_t right = width - 1, bottom = height - 1;  // of the coded picture
    switch (orientation.degrees) {
      case 90: across = height, down = -1, first = bottom; break;
      case 180: across = -1, down = -width, first = std::int64_t{width} * height - 1; break;
      case 270: across = -height, down = 1, first = right * height; break;
      default: across = 1, down = width, first = 0;
    }
    if (!orientation.mirrored) return;
    first += across * right;
    across = -across;
  }

  std::int64_t first, across, down;
};

// Copies the rows into a dense picture in its orientation.
template <int kPixelBytes>
void orient(const Rows& source, const Orientation& orientation, std::uint8_t* target) {
  const Places places(source.width, source.height, orientation);
  for (int y = 0; y < source.height; ++y) {
    const std::uint8_t* from = source.pixels + source.row_bytes * y;
    std::uint8_t* to = target + kPixelBytes * (places.first + places.down * y);
    if (places.across == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(kPixelBytes) * source.width);
      continue;
    }
    for (int x = 0; x < source.width; ++x, from += kPixelBytes, to += kPixelBytes * places.across) {
      std::memcpy(to, from, kPixelBytes);
    }
  }
}

// Fills `pixels`, which has the size of the displayed picture.
template <int kPixelBytes>
void fill(const AVFrame& source, const Orientation& orientation, ScalerCache& cache, const Target& format, Tensor& pixels) {
  if (orientation == Orientation{} && source.width % kAlignedPixels == 0) {
    convert(source, cache, format, pixels.data<std::uint8_t>(), std::int64_t{kPixelBytes} * source.width);
    return;
  }
  const std::int64_t padded = (source.width + kAlignedPixels - 1) / kAlignedPixels * kAlignedPixels;
  Tensor scratch({source.height + 1, padded, kPixelBytes}, DType::kU8);
  convert(source, cache, format, scratch.data<std::uint8_t>(), kPixelBytes * padded);
  orient<kPixelBytes>({scratch.data<std::uint8_t>(), kPixelBytes * padded, source.width, source.height}, orientation,
                      pixels.data<std::uint8_t>());
}

}  // namespace

Tensor Frame::rgb() const {
  if (!picture) fail("frame {} holds no picture", index);
  thread_local ScalerCache cache(kRgb);
  Tensor pixels({height, width, 3}, DType::kU8);
  fill<3>(*picture, orientation, cache, kRgb, pixels);
  return pixels;
}

Tensor Frame::grey() const {
  if (!picture) fail("frame {} holds no picture", index);
  thread_local ScalerCache cache(kGrey);
  Tensor pixels({height, width}, DType::kU8);
  fill<1>(*picture, orientation, cache, kGrey, pixels);
  return pixels;
}

}  // namespace actio::video
