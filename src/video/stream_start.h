// video: where a stream that may begin in mid-group can be shown from. In: each packet, each picture decoded from them. Out:
// the pictures without those that a decoder makes up because what they refer to lies before the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "video/ffmpeg_handles.h"

namespace actio::video {

// H.264: FFmpeg knows which pictures it could not rebuild. The other codecs: a picture that refers to others is real once a
// key picture was decoded. What FFmpeg itself leaves out at a start (H.264's parameter sets missing, MPEG-2's and MPEG-4's
// first B-frames, HEVC's leading pictures) is counted with the rest.
class StreamStart {
 public:
  // `length_size`: bytes of the length in front of each NAL unit; 0 for start codes.
  StreamStart(AVCodecID codec, int length_size) : codec_(codec), length_size_(length_size) {}

  struct Picture {
    std::shared_ptr<const AVFrame> frame;
    std::int64_t tag = 0;  // of its packet
    bool hidden = false;   // not to be shown
  };

  // A packet that the decoder is given; `hidden`: its picture is not to be shown.
  void sent(const AVPacket& packet, std::int64_t tag, bool hidden);

  // The next picture in display order.
  void push(Picture picture);

  // The next picture that is real, hidden ones included; empty where it is not known yet or there is none.
  std::optional<Picture> pop();

  // No picture will come any more.
  void end();

  // Pictures that would have been shown.
  std::int64_t left_out() const { return left_out_; }
  // Of those, the ones that no picture came of: the decoder may have refused their packets.
  std::int64_t skipped() const { return skipped_; }

 private:
  struct Awaited {
    bool key, leading;  // what the packet says
  };
  struct Held {
    Picture picture;
    bool counts;  // to be counted where it is left out: neither hidden nor a second one of its packet
  };

  bool is_real(const AVFrame& picture) const;
  void enter(std::int64_t tag);
  void leave_out(bool counts);

  AVCodecID codec_;
  int length_size_;
  bool entered_ = false, any_made_up_ = false;
  std::deque<Held> held_;  // until a key picture tells what they are
  std::deque<Picture> ready_;
  std::map<std::int64_t, Awaited> missing_;  // by tag: packets whose picture has not come
  std::int64_t gone_ = 0;                    // pictures that never came, before those
  std::int64_t left_out_ = 0, skipped_ = 0;
};

}  // namespace actio::video
