// video: a Source as FFmpeg reads it. In: a Source and what asks to stop. Out: an AVIOContext at the first byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "video/ffmpeg_handles.h"
#include "video/source.h"

namespace actio::video {

struct CloseContext {
  bool own_buffer = false;  // FFmpeg did not open it
  void operator()(AVIOContext* context) const;
};

class SourceIo {
 public:
  // Throws: Error(kFailed) for a missing or unreadable file, Error(kTransient) where that may pass, Error(kBadData) for an empty source.
  SourceIo(Source source, std::stop_token stop);
  SourceIo(const SourceIo&) = delete;
  SourceIo& operator=(const SourceIo&) = delete;

  // Starts at the first byte; what was opened before is closed. Throws: as the constructor; Error(kFailed) the second time
  // where the source cannot seek.
  AVIOContext* open();
  void close() { context_.reset(); }

  // Whether bytes can be read again.
  bool can_seek() const { return can_seek_; }

  // Throws what the source's functions threw; Error(kInterrupted) where a stop was requested; Error(kTransient) where the system could
  // not read.
  void check();

  // For the FFmpeg calls that may wait; it lives as long as this.
  AVIOInterruptCB interrupt();

 private:
  using ContextHandle = std::unique_ptr<AVIOContext, CloseContext>;

  static int read_packet(void* self, std::uint8_t* target, int bytes);
  static std::int64_t seek_packet(void* self, std::int64_t offset, int whence);

  ContextHandle open_file();
  ContextHandle open_own();
  void look_ahead();
  bool fill_kept(std::size_t bytes);
  std::size_t read_functions(std::span<std::byte> target);
  std::size_t read(std::span<std::byte> target);
  std::int64_t seek(std::int64_t position);
  std::int64_t size() const;
  const Source::Functions* functions() const { return std::get_if<Source::Functions>(&source_.from()); }
  const Source::Memory* memory() const { return std::get_if<Source::Memory>(&source_.from()); }

  Source source_;
  std::stop_token stop_;
  bool can_seek_ = true;
  bool keeps_ = false;  // all that was read, so that it can be read again
  bool begun_ = false, at_end_ = false;
  std::vector<std::byte> kept_;  // the first bytes
  std::int64_t position_ = 0;
  std::exception_ptr problem_;
  ContextHandle context_;
};

}  // namespace actio::video
