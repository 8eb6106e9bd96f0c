// video: opens a video and hands out its frames in display order. In: a source. Out: frames, codec motion vectors, counters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "video/frame.h"
#include "video/source.h"

namespace actio::video {

inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;  // 8192 x 8192
// The largest width and height that is decoded; a header that claims more is damaged or hostile.
inline constexpr int kMaxSide = 16384;

struct StreamInfo {
  std::string path;             // or the name of another source
  std::string container;        // "avi", "mov,mp4,m4a,3gp,3g2,mj2"
  std::string codec;            // FFmpeg's short name: "h264", "mpeg4"
  std::string codec_long_name;  // "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10"
  std::string profile;          // of the codec: "High", "Advanced Simple Profile"; empty where it has none or hides it
  std::string pixel_format;     // FFmpeg's name: "yuv420p"; empty where unknown
  bool has_audio = false;       // the file has a track of sound
  int width = 0, height = 0;    // as displayed: in the orientation
  Orientation orientation;      // of all frames: what the first picture says, else the container
  double skewed_degrees = 0;    // a clockwise turn that is no multiple of 90: pictures are left as they are coded
  double pixel_aspect = 1;      // width of a pixel by its height; pictures keep their pixels
  int track = 1, tracks = 1;    // the place of this stream among the file's video streams, from 1; how many there are
  double frames_per_second = 0;     // average; 0 where unknown
  double duration_seconds = 0;      // as the container claims; 0 where unknown
  std::int64_t frames_claimed = 0;  // as the container claims, without those that an edit list hides; 0 where unknown
  bool carries_vectors = false;  // the codec's vectors can be read: H.264, MPEG-4 Part 2, MPEG-2, MPEG-1, and H.263, FLV1,
                                 // MS-MPEG-4 v2 and v3, WMV 7 and 8
};

struct DecoderOptions {
  bool vectors = false;                   // export motion vectors
  bool vectors_optional = false;          // with vectors: a codec that has none is no error
  int threads = 1;                        // 0: as many as cores; with vectors, only slices of a frame are decoded in parallel
  std::int64_t max_pixels = kMostPixels;  // of a frame; a file with larger ones is refused
  double max_seconds = 0;                 // wall time within the decoder's calls, waiting included; 0: no limit
};

struct DecodeCounters {
  std::int64_t packets = 0;   // read for the video stream, those of the scan apart
  std::int64_t frames = 0;    // decoded
  std::int64_t damaged = 0;   // of those, concealed or corrupt
  std::int64_t errors = 0;    // packets the codec refused
  std::int64_t left_out = 0;  // pictures at the start that refer to others before the stream: they cannot be rebuilt
  std::int64_t seeks = 0;     // to a key frame, past frames that were not decoded
  std::int64_t scanned = 0;   // packets looked at without decoding, to find out where frames are
};

struct Selection {
  std::vector<std::int64_t> frames;  // wanted: indices in ascending order, one may occur twice
  bool carry = false;                // where one has no vectors, the nearest frame before it that has some is wanted, too
};

// What a stream that was cut in mid-group has before its first key frame cannot be decoded: such frames are not given, as if
// they were not in the file, but counted. Frames that an edit list hides are decoded where others need them, and not given.
// With vectors, B-frames are held back until the picture after them that they refer to is decoded, 17 frames at most. MPEG-4
// Part 2: FFmpeg keeps no vectors of B-frames, so they take those of the next P-frame, which span the same interval.
// Threads: one decoder belongs to one thread at a time.
class Decoder {
 public:
  // A path is a source. `stop` ends every wait and every reading: what was called then throws Error(kInterrupted).
  // Throws: Error(kFailed) for a missing or unreadable file, Error(kTransient) where the system cannot open or read it for now (next()
  // too), Error(kBadData) for a file without a video stream that can be
  // decoded (one line: what it is instead), for one of more pixels than `options.max_pixels`, for one that takes longer than
  // `options.max_seconds` (next(), exact_frames() and the like, too), and for `options.vectors` on a codec whose vectors cannot be read
  // (one line: the codec, and what to do instead); what the source's functions throw.
  explicit Decoder(const Source& source, const DecoderOptions& options = {}, const std::stop_token& stop = {});
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  const StreamInfo& info() const;
  const DecodeCounters& counters() const;

  // The next frame in display order; empty at the end. Damage is data (Frame::damaged, counters), never an exception.
  // Throws: Error(kInterrupted) on stop, as exact_frames() does.
  std::optional<Frame> next();

  // Restricts next() to the wanted frames, which are the same, vectors and times included, as without it; those behind the
  // end do not come. Where a scan of the file can prove which packets they need, only these are decoded; else all are.
  // Damage that shows in a header or in a picture that is decoded ends the proof; damage deep inside a picture that nobody
  // needs does not, so that frames which a whole decode would lose to it are counted here.
  // Throws: Error(kUsage) for a list that is not in order, and once next() was called.
  void select(Selection selection);

  // How many frames next() would return in all, told from a scan of the file's packets; empty where decoding may give
  // another number. Damage inside of a packet is not seen, and may make it fewer. To be called before next().
  std::optional<std::int64_t> exact_frames();

  // The same with the time of each: what its Frame::time_seconds would be.
  std::optional<std::vector<double>> exact_times();

  // Likewise the most frames from one where decoding can start to the next one or to the end.
  std::optional<std::int64_t> exact_longest_group();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Why the codec's vectors cannot be read and what to do instead, without the file's name: "HEVC carries no ...".
std::string no_vectors_reason(const StreamInfo& info);

std::string no_vectors_fact(const StreamInfo& info);  // "HEVC carries no motion vectors that can be read"

// Throws the Error that a Decoder with vectors would throw, where `info` has no vectors to read.
void require_vectors(const StreamInfo& info);

}  // namespace actio::video
