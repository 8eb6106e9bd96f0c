#include "video/frame.h"

extern "C" {
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>

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

// A picture as the scaler is told of it: the range is said beside the format, never by it.
struct Layers {
  AVPixelFormat format;
  bool full_range;
  const std::uint8_t* planes[4];
  int strides[4];
};

// The format that holds the same numbers with chroma of half the size; none where `format` is not grey.
AVPixelFormat with_chroma(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_GRAY8: return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_GRAY9: return AV_PIX_FMT_YUV420P9;
    case AV_PIX_FMT_GRAY10: return AV_PIX_FMT_YUV420P10;
    case AV_PIX_FMT_GRAY12: return AV_PIX_FMT_YUV420P12;
    case AV_PIX_FMT_GRAY14: return AV_PIX_FMT_YUV420P14;
    case AV_PIX_FMT_GRAY16: return AV_PIX_FMT_YUV420P16;
    default: return AV_PIX_FMT_NONE;
  }
}

// The same format without a range; FFmpeg warns of those that say one.
AVPixelFormat without_range(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ411P: return AV_PIX_FMT_YUV411P;
    case AV_PIX_FMT_YUVJ420P: return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ440P: return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ444P: return AV_PIX_FMT_YUV444P;
    default: return format;
  }
}

// Memory that is used again for the next picture; its content is whatever it held.
class Scratch {
 public:
  std::uint8_t* get(std::size_t bytes) {
    constexpr std::size_t kMostUnused = 8;  // times what is needed
    if (bytes > size_ || size_ / kMostUnused > bytes) {
      memory_.reset();
      memory_ = std::unique_ptr<std::byte[], Free>(static_cast<std::byte*>(::operator new[](bytes, kAlignment)));
      size_ = bytes;
    }
    return reinterpret_cast<std::uint8_t*>(memory_.get());
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete[](memory, kAlignment); }
  };
  std::unique_ptr<std::byte[], Free> memory_;
  std::size_t size_ = 0;
};

// Setting a scaler up costs more than using it; pictures of one video share one.
class Converter {
 public:
  explicit Converter(const Target& target) : target_(target) {}

  // Rows of `row_bytes`, at least as long as those of the picture.
  void convert(const AVFrame& picture, std::uint8_t* target, std::int64_t row_bytes) {
    const Layers layers = layers_of(picture);
    std::uint8_t* planes[4] = {target, nullptr, nullptr, nullptr};
    const int strides[4] = {static_cast<int>(row_bytes), 0, 0, 0};
    SwsContext* scaler = scaler_for(picture, layers);
    if (sws_scale(scaler, layers.planes, layers.strides, 0, picture.height, planes, strides) != picture.height) {
      fail_data("a picture of {} x {} pixels cannot be turned into {}", picture.width, picture.height, target_.name);
    }
  }

  Scratch& scratch() { return scratch_; }

 private:
  Layers layers_of(const AVFrame& picture) {
    const AVPixelFormat format = format_of(picture);
    Layers layers{without_range(format), number_of(picture.color_range) == AVCOL_RANGE_JPEG, {}, {}};
    std::copy_n(picture.data, 4, layers.planes);
    std::copy_n(picture.linesize, 4, layers.strides);
    if (layers.format != format) layers.full_range = true;
    const AVPixelFormat colour = with_chroma(format);
    if (colour == AV_PIX_FMT_NONE) return layers;
    // FFmpeg takes every grey picture as one of full range. Where the stream says that it is not, chroma without colour is
    // put beside it, so that it becomes what a colour picture of that range would.
    layers.full_range = number_of(picture.color_range) != AVCOL_RANGE_MPEG;
    if (layers.full_range) return layers;
    const int width = (picture.width + 1) / 2, height = (picture.height + 1) / 2;
    const int depth = av_pix_fmt_desc_get(colour)->comp[1].depth, bytes = depth > 8 ? 2 : 1;
    const int stride = (width * bytes + 63) / 64 * 64;
    const std::size_t size = static_cast<std::size_t>(stride) * (static_cast<std::size_t>(height) + 1);
    std::uint8_t* chroma = chroma_.get(size);
    if (bytes == 1) {
      std::memset(chroma, 128, size);
    } else {
      std::fill_n(reinterpret_cast<std::uint16_t*>(chroma), size / 2, static_cast<std::uint16_t>(1 << (depth - 1)));
    }
    layers.format = colour;
    layers.planes[1] = layers.planes[2] = chroma;
    layers.strides[1] = layers.strides[2] = stride;
    return layers;
  }

  SwsContext* scaler_for(const AVFrame& picture, const Layers& layers) {
    const std::array<int, 5> key{picture.width, picture.height, layers.format, number_of(picture.colorspace),
                                 layers.full_range};
    if (scaler_ && key == key_) return scaler_.get();
    scaler_.reset(sws_alloc_context());
    if (scaler_) {
      const auto set = [&](const char* name, std::int64_t value) { av_opt_set_int(scaler_.get(), name, value, 0); };
      set("srcw", picture.width), set("srch", picture.height), set("src_format", layers.format);
      set("dstw", picture.width), set("dsth", picture.height), set("dst_format", target_.format);
      set("src_range", layers.full_range), set("dst_range", 1), set("sws_flags", kScalerFlags);
      if (sws_init_context(scaler_.get(), nullptr, nullptr) < 0) scaler_.reset();
    }
    if (!scaler_) {
      fail_data("a picture of {} x {} pixels in format {} cannot be turned into {}", picture.width, picture.height,
                picture.format, target_.name);
    }
    int *inverse = nullptr, *table = nullptr;
    int source_range = 0, target_range = 0, brightness = 0, contrast = 0, saturation = 0;
    if (sws_getColorspaceDetails(scaler_.get(), &inverse, &source_range, &table, &target_range, &brightness, &contrast,
                                 &saturation) >= 0) {
      const int* coefficients = sws_getCoefficients(number_of(picture.colorspace));
      sws_setColorspaceDetails(scaler_.get(), coefficients, source_range, table, target_range, brightness, contrast,
                               saturation);
    }
    key_ = key;
    return scaler_.get();
  }

  const Target& target_;
  ScalerHandle scaler_;
  std::array<int, 5> key_{};
  Scratch scratch_, chroma_;
};

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
void fill(const AVFrame& source, const Orientation& orientation, Converter& converter, Tensor& pixels) {
  if (orientation == Orientation{} && source.width % kAlignedPixels == 0) {
    converter.convert(source, pixels.data<std::uint8_t>(), std::int64_t{kPixelBytes} * source.width);
    return;
  }
  const std::int64_t padded = (source.width + kAlignedPixels - 1) / kAlignedPixels * kAlignedPixels;
  const std::int64_t row_bytes = kPixelBytes * padded;
  std::uint8_t* rows = converter.scratch().get(static_cast<std::size_t>(row_bytes * (source.height + 1)));
  converter.convert(source, rows, row_bytes);
  orient<kPixelBytes>({rows, row_bytes, source.width, source.height}, orientation, pixels.data<std::uint8_t>());
}

}  // namespace

Tensor Frame::rgb() const {
  if (!picture) fail("frame {} holds no picture", index);
  thread_local Converter converter(kRgb);
  Tensor pixels({height, width, 3}, DType::kU8);
  fill<3>(*picture, orientation, converter, pixels);
  return pixels;
}

Tensor Frame::grey() const {
  if (!picture) fail("frame {} holds no picture", index);
  thread_local Converter converter(kGrey);
  Tensor pixels({height, width}, DType::kU8);
  fill<1>(*picture, orientation, converter, pixels);
  return pixels;
}

}  // namespace actio::video
