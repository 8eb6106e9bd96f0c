#include "video/source_io.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <utility>

#include "core/error.h"

namespace actio::video {
namespace {

constexpr int kBufferBytes = 1 << 15;
constexpr std::size_t kLookedAt = 1 << 16;               // bytes in which the boxes of an MP4 are looked for
constexpr std::size_t kMostKept = std::size_t{1} << 30;  // bytes
constexpr std::size_t kKeptAtOnce = std::size_t{1} << 16;

void check_file(const std::string& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (status.type() == std::filesystem::file_type::none) {
    fail(code_of_system_error(code.value()), "{}: cannot be opened: {}", path, code.message());
  }
  if (!std::filesystem::exists(status)) fail("{}: no such file", path);
  if (std::filesystem::is_directory(status)) fail("{}: is a directory, a video file was expected", path);
  if (!std::filesystem::is_regular_file(status)) fail("{}: is not a regular file", path);
  if (std::filesystem::file_size(path, code) == 0 && !code) fail_data("{}: is empty", path);
}

std::uint64_t big_endian(std::span<const std::byte> bytes) {
  std::uint64_t number = 0;
  for (const std::byte byte : bytes) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  return number;
}

// Whether the bytes begin an MP4 or MOV whose frames come before the index that tells where they are.
// Source: ISO/IEC 14496-12, 4.2 (boxes).
bool has_late_index(std::span<const std::byte> bytes) {
  std::size_t at = 0;
  bool boxes = false;
  while (at + 16 <= bytes.size()) {
    std::uint64_t size = big_endian(bytes.subspan(at, 4));
    if (size == 1) size = big_endian(bytes.subspan(at + 8, 8));
    const std::string_view type(reinterpret_cast<const char*>(bytes.data()) + at + 4, 4);
    if (type == "moov") return false;
    if (type == "mdat") return true;
    boxes = boxes || type == "ftyp";
    const bool known = boxes || type == "free" || type == "skip" || type == "wide";
    if (!known || size < 8) return false;
    if (size > bytes.size() - at) return boxes;
    at += static_cast<std::size_t>(size);
  }
  return boxes;
}

}  // namespace

void CloseContext::operator()(AVIOContext* context) const {
  if (!own_buffer) {
    avio_closep(&context);
    return;
  }
  av_freep(static_cast<void*>(&context->buffer));
  avio_context_free(&context);
}

SourceIo::SourceIo(Source source, std::stop_token stop) : source_(std::move(source)), stop_(std::move(stop)) {
  if (const auto* from = functions()) {
    if (!from->read) fail_usage("{}: a source without a function that reads", source_.name());
    can_seek_ = static_cast<bool>(from->seek);
  } else if (const auto* bytes = memory()) {
    if (bytes->size == 0) fail_data("{}: is empty", source_.name());
  } else {
    check_file(source_.name());
  }
}

AVIOInterruptCB SourceIo::interrupt() {
  const auto asks = [](void* self) { return static_cast<SourceIo*>(self)->stop_.stop_requested() ? 1 : 0; };
  return {asks, this};
}

void SourceIo::check() {
  if (problem_) std::rethrow_exception(std::exchange(problem_, nullptr));
  if (stop_.stop_requested()) fail(ErrorCode::kInterrupted, "{}: reading was stopped", source_.name());
  // A server that is away makes no damaged video: demuxers take a failed read for the end.
  const int failure = context_ ? context_->error : 0;
  if (failure < 0 && code_of_system_error(AVUNERROR(failure)) == ErrorCode::kTransient) {
    fail(ErrorCode::kTransient, "{}: cannot be read: {}", source_.name(), ffmpeg_reason(failure));
  }
}

AVIOContext* SourceIo::open() {
  context_.reset();
  const bool file = !functions() && !memory();
  context_ = file ? open_file() : open_own();
  return context_.get();
}

SourceIo::ContextHandle SourceIo::open_file() {
  AVIOContext* context = nullptr;
  const AVIOInterruptCB callback = interrupt();
  // "file:" keeps a colon or a leading dash in the name from being read as a protocol or an option.
  const int code = avio_open2(&context, ("file:" + source_.name()).c_str(), AVIO_FLAG_READ, &callback, nullptr);
  check();
  if (code < 0) fail(code_of_system_error(AVUNERROR(code)), "{}: cannot be opened: {}", source_.name(), ffmpeg_reason(code));
  return ContextHandle(context, CloseContext{.own_buffer = false});
}

SourceIo::ContextHandle SourceIo::open_own() {
  if (begun_ && !can_seek_) fail("{}: cannot be read a second time: its source does not seek", source_.name());
  if (!std::exchange(begun_, true)) look_ahead();
  if (seek(0) < 0) {
    check();
    fail("{}: its source does not seek to its start", source_.name());
  }
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  AVIOContext* context = buffer ? avio_alloc_context(buffer, kBufferBytes, 0, this, &SourceIo::read_packet, nullptr,
                                                     can_seek_ ? &SourceIo::seek_packet : nullptr)
                                : nullptr;
  if (!context) {
    av_free(buffer);
    fail(ErrorCode::kTransient, "{}: no memory to open it", source_.name());
  }
  return ContextHandle(context, CloseContext{.own_buffer = true});
}

// Decides whether a source that does not seek has to be kept.
void SourceIo::look_ahead() {
  if (can_seek_) return;
  fill_kept(kLookedAt);
  check();
  if (kept_.empty()) fail_data("{}: is empty", source_.name());
  can_seek_ = keeps_ = has_late_index(kept_);
}

// Reads on until the first `bytes` are kept. Returns: whether there are so many.
bool SourceIo::fill_kept(std::size_t bytes) {
  while (kept_.size() < bytes && !at_end_) {
    const std::size_t before = kept_.size();
    if (before >= kMostKept) {
      fail("{}: its index comes behind its frames and its source does not seek: at most {} bytes are kept, it has more",
           source_.name(), kMostKept);
    }
    kept_.resize(before + kKeptAtOnce);
    const std::size_t got = read_functions(std::span(kept_).subspan(before));
    kept_.resize(before + got);
    at_end_ = got == 0;
  }
  return kept_.size() >= bytes;
}

std::size_t SourceIo::read_functions(std::span<std::byte> target) {
  check();
  const std::size_t got = functions()->read(target, stop_);
  check();
  if (got > target.size())
    fail_usage("{}: its source gave {} bytes where {} were asked for", source_.name(), got, target.size());
  return got;
}

std::size_t SourceIo::read(std::span<std::byte> target) {
  std::size_t got = 0;
  if (const auto* bytes = memory()) {
    const auto at = static_cast<std::size_t>(position_);
    got = std::min(target.size(), bytes->size - std::min(at, bytes->size));
    if (got > 0) std::memcpy(target.data(), bytes->bytes.get() + at, got);
  } else {
    const auto at = static_cast<std::size_t>(position_);
    if (keeps_) fill_kept(at + target.size());
    if (at < kept_.size()) {
      got = std::min(target.size(), kept_.size() - at);
      std::memcpy(target.data(), kept_.data() + at, got);
    } else if (!at_end_) {
      if (!keeps_) kept_.clear();
      got = read_functions(target);
    }
  }
  position_ += static_cast<std::int64_t>(got);
  return got;
}

std::int64_t SourceIo::size() const {
  if (const auto* bytes = memory()) return static_cast<std::int64_t>(bytes->size);
  return keeps_ && at_end_ ? static_cast<std::int64_t>(kept_.size()) : functions()->size;
}

std::int64_t SourceIo::seek(std::int64_t position) {
  if (position < 0) return AVERROR(EINVAL);
  const auto* from = functions();
  if (from && from->seek && !from->seek(position)) return AVERROR(EIO);
  position_ = position;
  return position;
}

int SourceIo::read_packet(void* self, std::uint8_t* target, int bytes) {
  auto& io = *static_cast<SourceIo*>(self);
  if (io.problem_ || io.stop_.stop_requested()) return AVERROR_EXIT;
  try {
    const std::size_t got = io.read({reinterpret_cast<std::byte*>(target), static_cast<std::size_t>(bytes)});
    return got > 0 ? static_cast<int>(got) : AVERROR_EOF;
  } catch (...) {
    // No exception may pass through FFmpeg; check() throws it.
    io.problem_ = std::current_exception();
    return AVERROR_EXIT;
  }
}

std::int64_t SourceIo::seek_packet(void* self, std::int64_t offset, int whence) {
  auto& io = *static_cast<SourceIo*>(self);
  try {
    const std::int64_t size = io.size();
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE) return size >= 0 ? size : AVERROR(ENOSYS);
    if (whence == SEEK_END && size < 0) return AVERROR(ENOSYS);
    return io.seek(offset + (whence == SEEK_CUR ? io.position_ : whence == SEEK_END ? size : 0));
  } catch (...) {
    io.problem_ = std::current_exception();
    return AVERROR_EXIT;
  }
}

}  // namespace actio::video
