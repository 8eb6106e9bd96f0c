// actio: videos. In: a file, memory, or functions that read. Out: frames in display order, with the codec's motion vectors.
#pragma once

#include <actio/export.h>
#include <actio/tensor.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace actio {

// Where the bytes of a video come from. Threads: copies share their memory or functions; functions serve one reader at a time.
class ACTIO_API VideoSource {
 public:
  // Fills the beginning of `target` and waits until there is at least one byte. Returns: how many bytes; 0 at the end.
  // One that waits must return once `stop` is requested; the value does not matter then. What it throws, who reads throws.
  using ReadFn = std::function<std::size_t(std::span<std::byte> target, const std::stop_token& stop)>;
  // Goes to a place, in bytes from the start. Returns: whether it could.
  using SeekFn = std::function<bool(std::int64_t position)>;

  // A path is a source, so that it is handed over as it is.
  VideoSource(const std::filesystem::path& path);  // NOLINT(google-explicit-constructor)
  VideoSource(const std::string& path);            // NOLINT(google-explicit-constructor)
  VideoSource(const char* path);                   // NOLINT(google-explicit-constructor)

  static VideoSource file(const std::filesystem::path& path);
  // `name` stands in messages; its ending may help to tell what the bytes are.
  static VideoSource memory(std::shared_ptr<const std::byte[]> bytes, std::size_t size, const std::string& name);
  // Of bytes that are copied.
  static VideoSource memory(std::span<const std::byte> bytes, const std::string& name);
  // Without `seek` the bytes come once, from the first to the last: a Video decodes as they come (but keeps up to 1 GiB of an MP4 whose
  // index comes last), a Recognizer keeps them all, up to 1 GiB. `size` in bytes; -1: unknown.
  static VideoSource callback(ReadFn read, SeekFn seek, const std::string& name, std::int64_t size = -1);

  const std::string& name() const;  // of a file: its path

 private:
  friend class Video;
  friend class Recognizer;
  struct Impl;
  explicit VideoSource(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  std::shared_ptr<const Impl> impl_;
};

// The motion of one block from the previous frame to this one.
struct BlockVector {
  std::int16_t x = 0, y = 0;           // top left corner in the picture, pixels; may lie outside of it
  std::int16_t width = 0, height = 0;  // pixels
  float dx = 0, dy = 0;                // pixels per frame, y down
  std::int8_t direction = -1;          // the reference it was read from: -1 past, +1 future
};

class ACTIO_API Frame {
 public:
  enum class Type { kI, kP, kB, kOther };

  std::int64_t index = 0;   // display order, from 0
  std::int64_t pts = 0;     // in the stream's time base
  double time_seconds = 0;  // from the first frame
  Type type = Type::kOther;
  bool key = false;
  bool damaged = false;              // the decoder concealed something, or the bytes were damaged
  int width = 0, height = 0;         // as displayed
  std::vector<BlockVector> vectors;  // empty where the frame is coded without looking at others, or none were asked for

  // In the full range of 0..255. Shape: u8 [height, width, 3], red first. Threads: safe on a const Frame.
  Tensor rgb() const;
  // The luma in the full range of 0..255. Shape: u8 [height, width]. Threads: safe on a const Frame.
  Tensor grey() const;

 private:
  friend class Video;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

struct VideoInfo {
  std::string name;                  // the path, or that of another source
  std::string container;             // "avi", "mov,mp4,m4a,3gp,3g2,mj2"
  std::string codec;                 // FFmpeg's short name: "h264", "mpeg4"
  int width = 0, height = 0;         // as displayed
  bool mirrored = false;             // how the coded picture is shown: left to right first,
  int turned_degrees = 0;            // then turned clockwise: 0, 90, 180, 270
  double pixel_aspect = 1;           // width of a pixel by its height; pictures keep their pixels
  double frames_per_second = 0;      // average; 0 where unknown
  double duration_seconds = 0;       // as the container claims; 0 where unknown
  std::int64_t frames_claimed = 0;   // as the container claims; 0 where unknown
  bool carries_vectors = false;      // the codec's motion vectors can be read
};

struct VideoOptions {
  bool vectors = false;                              // read the codec's motion vectors
  bool vectors_optional = false;                     // with vectors: a codec that has none is no error
  int threads = 1;                                   // of the decoder; 0: as many as cores
  std::int64_t max_pixels = std::int64_t{1} << 26;   // of a frame; a video with larger ones is refused
  double max_seconds = 0;                            // wall time within the calls of one Video, waiting included; 0: no limit
};

struct VideoCounters {
  std::int64_t frames = 0;   // decoded
  std::int64_t damaged = 0;  // of those, concealed or corrupt
  std::int64_t seeks = 0;    // past frames that were not decoded
};

// Damage is data (Frame::damaged), never an exception. Threads: one Video belongs to one thread at a time.
class ACTIO_API Video {
 public:
  // `stop` ends every wait and every reading. Throws: Error(kFailed) for a file that is missing or cannot be read, Error(kBadData) for one
  // without a video that can be decoded or past a limit (next(), too), Error(kInterrupted) on `stop`; what the source's functions throw.
  explicit Video(const VideoSource& source, const VideoOptions& options = {}, const std::stop_token& stop = {});
  ~Video();
  Video(Video&&) noexcept;
  Video& operator=(Video&&) noexcept;

  const VideoInfo& info() const;
  VideoCounters counters() const;

  // The next frame in display order; empty at the end.
  std::optional<Frame> next();

  // Restricts next() to these frames, indices in ascending order, and decodes no others where the file proves that it need not.
  // Throws: Error(kUsage) for a list that is not in order, and once next() was called.
  void select(const std::vector<std::int64_t>& frames);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace actio
