// net: a whole file in memory, and names out of untrusted files made fit for a message.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace actio::net {

// Throws: Error(kFailed) "PATH: no such file", for what is no regular file, and for one that is far too large.
std::size_t checked_file_size(const std::filesystem::path& path);

class FileBytes {
 public:
  // Throws: Error(kFailed) "PATH: no such file" or with the reason.
  explicit FileBytes(const std::filesystem::path& path);

  std::span<std::byte> span() { return {bytes_.get(), size_}; }
  std::span<const std::byte> span() const { return {bytes_.get(), size_}; }

 private:
  struct Release {
    void operator()(std::byte* bytes) const;
  };

  std::unique_ptr<std::byte[], Release> bytes_;
  std::size_t size_ = 0;
};

// The text on one line: control characters and broken UTF-8 escaped, cut after 100 bytes.
std::string shown_name(std::string_view name);

std::string_view as_text(std::span<const std::byte> bytes);

}  // namespace actio::net
