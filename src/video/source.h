// video: where the bytes of a video come from. In: a path, memory, or functions. Out: what a Decoder reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>

namespace actio::video {

// Threads: copies share their memory or functions; functions serve one Decoder at a time.
class Source {
 public:
  // Fills the beginning of `target` and waits until there is at least one byte. Returns: how many bytes; 0 at the end.
  // A function that waits must return once `stop` is requested; the value does not matter then. What it throws is thrown by
  // the Decoder.
  using ReadFn = std::function<std::size_t(std::span<std::byte> target, const std::stop_token& stop)>;
  // Goes to a place, in bytes from the start. Returns: whether it could.
  using SeekFn = std::function<bool(std::int64_t position)>;

  struct File {};
  struct Memory {
    std::shared_ptr<const std::byte[]> bytes;
    std::size_t size = 0;
  };
  struct Functions {
    ReadFn read;
    SeekFn seek;             // empty: the bytes come once, from the first to the last
    std::int64_t size = -1;  // bytes in all; -1: unknown
  };

  // A path is a source, so that it is handed over as it is.
  Source(std::string path) : name_(std::move(path)) {}                 // NOLINT(google-explicit-constructor)
  Source(const char* path) : name_(path) {}                            // NOLINT(google-explicit-constructor)
  Source(const std::filesystem::path& path) : name_(path.string()) {}  // NOLINT(google-explicit-constructor)

  static Source file(const std::filesystem::path& path) { return {path}; }

  // `name` stands in messages; its ending may help to tell what the bytes are.
  static Source memory(std::shared_ptr<const std::byte[]> bytes, std::size_t size, std::string name) {
    Source source(std::move(name));
    source.from_ = Memory{std::move(bytes), size};
    return source;
  }

  // Without `seek` a video is decoded from its first byte to its last, once. An MP4 whose index comes behind its frames is
  // then kept in memory, up to 1 GiB.
  static Source callback(ReadFn read, SeekFn seek, std::string name, std::int64_t size = -1) {
    Source source(std::move(name));
    source.from_ = Functions{std::move(read), std::move(seek), size};
    return source;
  }

  const std::string& name() const { return name_; }  // of a file: its path
  const std::variant<File, Memory, Functions>& from() const { return from_; }

 private:
  std::string name_;
  std::variant<File, Memory, Functions> from_;
};

}  // namespace actio::video
