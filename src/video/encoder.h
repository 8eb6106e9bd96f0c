// video: writes RGB frames as a compressed file; synthetic clips and tests are made with it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace actio::video {

struct EncoderOptions {
  std::string codec = "libx264";  // "libx264", "mpeg4" (Xvid-style), "mpeg2video", "mpeg1video", "libx265", ...
  int width = 0, height = 0;      // pixels; even for libx264 and libx265
  int frames_per_second = 25;
  int gop = 12;  // frames from one key frame to the next
  int b_frames = 2;
  int references = 1;
  int quality = 23;                        // CRF for x264/x265; quantiser (2..31) for the MPEG codecs
  int rotation_degrees = 0;                // clockwise turn that players apply: 0, 90, 180, 270; MP4 and MOV keep it
  bool mirrored = false;                   // players mirror left to right before that turn; likewise
  std::vector<std::string> codec_options;  // "key=value", handed to the codec
};

class Encoder {
 public:
  // Throws: Error(kFailed) naming the codec where it is not available, or the file where it cannot be written.
  Encoder(const std::string& path, const EncoderOptions& options);
  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;

  // Shape: u8 [height, width, 3].
  void write(const Tensor& rgb);
  // The same for a variable frame rate. Units: `tick` counts 1/frames_per_second from 0 and grows from frame to frame.
  void write_at(const Tensor& rgb, std::int64_t tick);
  void close();  // flushes; the destructor closes too, but swallows what goes wrong

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace actio::video
