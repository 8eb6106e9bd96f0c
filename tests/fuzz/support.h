// What every fuzz target needs. A target hands bytes to one reader, which may take them or refuse them with one Error of one
// line; anything else ends the program, and libFuzzer keeps the bytes.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"

namespace actio::fuzz {

inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

// Returns: whether `read` took its bytes.
template <typename Read>
bool takes(Read&& read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    const std::string_view message = error.what();
    if (message.empty() || message.find_first_of("\r\n") != std::string_view::npos) {
      std::fprintf(stderr, "broken promise: an error's message is one line: '%s'\n", error.what());
      std::abort();
    }
    return false;
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes the part before `separator` off `text`; all of it where there is none.
inline std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// A file in memory, for readers that want a path.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) { require(descriptor_ >= 0, "memfd_create"); }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  // Replaces the content.
  void write(std::string_view content) {
    const auto size = static_cast<ssize_t>(content.size());
    require(::ftruncate(descriptor_, 0) == 0, "ftruncate");
    require(::pwrite(descriptor_, content.data(), content.size(), 0) == size, "pwrite");
  }

 private:
  int descriptor_;
};

}  // namespace actio::fuzz
