// video: an opened file whose video stream is known. In: a path. Out: packets of that stream and its facts.
#pragma once

#include <stop_token>
#include <string>

#include "video/decoder.h"
#include "video/ffmpeg_handles.h"

namespace actio::video {

// The largest width and height that is decoded; a header that claims more is damaged or hostile.
inline constexpr int kMaxSide = 16384;

class Input {
 public:
  // Throws: Error(kFailed) for a missing or unreadable file, Error(kBadData) where no video can be found in it.
  explicit Input(const std::string& path, std::stop_token stop = {});

  const StreamInfo& info() const { return info_; }
  const AVStream& stream() const { return *stream_; }

  // Reads the next packet of the video stream. Returns: 0, or FFmpeg's error code; AVERROR_EOF at the end.
  // Throws: Error(kInterrupted) on `stop`.
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

  // Starts over at the first packet, as if the file had just been opened.
  void reopen();

  // FFmpeg's guess of the time between two frames, in the stream's time base; 0 where unknown.
  std::int64_t frame_ticks() const;

 private:
  void open();
  void open_format();
  AVStream* choose_stream();
  void describe();
  std::int64_t hidden_frames() const;

  StreamInfo info_;
  std::stop_token stop_;
  IoHandle io_;  // before the format: it is closed after it
  InputHandle format_;
  AVStream* stream_ = nullptr;
};

}  // namespace actio::video
