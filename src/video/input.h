// video: an opened source whose video stream is known. In: a Source. Out: packets of that stream and its facts.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <vector>

#include "video/decoder.h"
#include "video/ffmpeg_handles.h"
#include "video/picture_orientation.h"
#include "video/source_io.h"
#include "video/stream_choice.h"

namespace actio::video {

// What a codec may be asked to allocate for frames of so many pixels: it works on whole blocks.
constexpr std::int64_t most_coded_pixels(std::int64_t shown) { return shown + (std::int64_t{1} << 20); }

struct InputOptions {
  std::int64_t max_pixels = kMostPixels;  // of a frame
  std::stop_token stop = {};
};

class Input {
 public:
  // Throws: Error(kFailed) for a missing or unreadable file, Error(kTransient) where the system cannot open or read it for now,
  // Error(kBadData) where no video can be found in it or its frames are too large; Error(kInterrupted) on stop.
  explicit Input(const Source& source, const InputOptions& options = {});

  const StreamInfo& info() const { return info_; }
  const AVStream& stream() const { return *stream_; }

  // Reads the next packet of the video stream. Returns: 0, or FFmpeg's error code; AVERROR_EOF at the end.
  // Throws: Error(kInterrupted) on stop; Error(kTransient) where the system could not read, which is no damage of the file; what
  // the source's functions throw.
  int read(AVPacket& packet);

  // The containers whose packets are frames of known times, and which are read again as they were the first time.
  bool can_be_indexed() const;
  bool seeks_exactly() const;
  bool seeks_by_pts() const;

  // Whether the container's own index already shows that frames up to `last` hardly need fewer packets than all before them:
  // one key frame, and pictures in the order of decoding.
  bool needs_every_packet(std::int64_t last) const;

  // Goes to the packet whose time in the index is `time`, or before it. Returns: whether the container can.
  bool seek(std::int64_t time);

  // Starts over at the first packet, as if the file had just been opened. Throws: Error(kFailed) where the source does not
  // seek.
  void reopen();

  // FFmpeg's guess of the time between two frames, in the stream's time base; 0 where unknown.
  std::int64_t frame_ticks() const;

 private:
  void open();
  void open_format();
  void choose();
  std::vector<std::int64_t> count_packets();
  int read_any(AVPacket& packet);
  int read_next(AVPacket& packet);
  std::optional<DisplayMatrix> find_orientation();
  void check_size(std::int64_t width, std::int64_t height) const;
  [[noreturn]] void refuse_without_size();
  void orient(const std::int32_t* matrix);
  void describe();
  std::int64_t hidden_frames() const;

  InputOptions options_;
  StreamInfo info_;
  SourceIo io_;  // before the format: it is closed after it
  InputHandle format_;
  std::optional<StreamChoice> choice_;
  AVStream* stream_ = nullptr;
  std::deque<PacketHandle> ahead_;  // read already, and to be handed out next
  int after_ahead_ = 0;             // what reading gave behind them, where it was not a packet
};

}  // namespace actio::video
