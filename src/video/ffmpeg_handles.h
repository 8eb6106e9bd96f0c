// video: owning handles for FFmpeg's types, one alias each, and what every file that calls FFmpeg needs.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

namespace actio::video {

// FFmpeg's free functions take the address of the pointer.
template <auto Free>
struct FreeByAddress {
  template <typename T>
  void operator()(T* pointer) const {
    Free(&pointer);
  }
};
template <auto Free>
struct FreeByPointer {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

using InputHandle = std::unique_ptr<AVFormatContext, FreeByAddress<avformat_close_input>>;
using OutputHandle = std::unique_ptr<AVFormatContext, FreeByPointer<avformat_free_context>>;
using IoHandle = std::unique_ptr<AVIOContext, FreeByAddress<avio_closep>>;
using CodecHandle = std::unique_ptr<AVCodecContext, FreeByAddress<avcodec_free_context>>;
using PacketHandle = std::unique_ptr<AVPacket, FreeByAddress<av_packet_free>>;
using FrameHandle = std::unique_ptr<AVFrame, FreeByAddress<av_frame_free>>;
using ScalerHandle = std::unique_ptr<SwsContext, FreeByPointer<sws_freeContext>>;

// Options by name, as FFmpeg's open functions take them; what they do not know stays in it.
class Dictionary {
 public:
  Dictionary() = default;
  ~Dictionary() { av_dict_free(&entries_); }
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  void set(const std::string& key, const std::string& value) { av_dict_set(&entries_, key.c_str(), value.c_str(), 0); }
  AVDictionary** address() { return &entries_; }
  // A key that nobody took, or "".
  std::string leftover() const {
    const AVDictionaryEntry* entry = av_dict_get(entries_, "", nullptr, AV_DICT_IGNORE_SUFFIX);
    return entry ? entry->key : "";
  }

 private:
  AVDictionary* entries_ = nullptr;
};

// FFmpeg's text for an error code, without a line break.
std::string ffmpeg_reason(int code);

// Keeps what a codec would write to the terminal below every level that is shown: what matters reaches the caller as an
// Error or a counter. FFmpeg has no such switch for containers, see ffmpeg_log.h.
inline constexpr int kSilentLevels = 128;  // more would meet the bits that FFmpeg keeps colours in
void keep_silent(AVCodecContext& codec);

}  // namespace actio::video
