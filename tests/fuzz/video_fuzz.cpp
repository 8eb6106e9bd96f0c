// A video file: every frame, its pixels, its vectors and their field. Files of even size are read with vectors.
#include <cmath>

#include "fuzz/support.h"
#include "motion/vector_stream.h"
#include "video/decoder.h"

namespace actio::video {
namespace {

constexpr int kMostFrames = 24;
constexpr std::int64_t kMostPixels = 1 << 18;  // of a picture whose pixels are looked at; larger ones only cost time
constexpr int kPicturesPerRgb = 3;

void decode(const std::string& path, bool vectors) {
  DecoderOptions options;
  options.vectors = vectors;
  Decoder decoder(path, options);
  motion::VectorStream fields(true);
  for (int i = 0; i < kMostFrames; ++i) {
    const auto frame = decoder.next();
    if (!frame) break;
    fuzz::require(frame->index == i, "frames are numbered from 0");
    fuzz::require(frame->width > 0 && frame->height > 0, "a frame has pixels");
    fuzz::require(std::isfinite(frame->time_seconds), "a frame has a time");
    if (std::int64_t{frame->width} * frame->height > kMostPixels) continue;
    if (i % kPicturesPerRgb == 0) {
      fuzz::takes([&] {
        const Tensor rgb = frame->rgb();
        fuzz::require(rgb.shape() == Shape{frame->height, frame->width, 3}, "pixels have the frame's shape");
      });
    }
    if (vectors) {
      const Tensor field = fields.field(*frame);
      fuzz::require(field.shape() == Shape{2, (frame->height + 3) / 4, (frame->width + 3) / 4}, "a field has its shape");
    }
  }
  const DecodeCounters& counters = decoder.counters();
  fuzz::require(counters.damaged <= counters.frames && counters.errors >= 0, "counters agree");
}

}  // namespace
}  // namespace actio::video

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static actio::fuzz::MemoryFile file;
  file.write(actio::fuzz::text_of(data, size));
  actio::fuzz::takes([&] {
    const bool vectors = actio::video::Decoder(file.path()).info().carries_vectors && size % 2 == 0;
    actio::video::decode(file.path(), vectors);
  });
  return 0;
}
