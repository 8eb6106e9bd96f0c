// net: a file seen in memory without a copy of it. In: a path. Out: its bytes; a page comes from the disk, or from the system's cache of it, when it is first
// looked at.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

namespace actio::net {

// Private: what is written to it is seen by nobody else and never gets into the file. Another file that is renamed over this one leaves it as it was. A
// file that somebody shortens in place is another matter: to look beyond its new end ends the process (SIGBUS).
// Threads: safe, as a raw array.
class FileMap : public std::enable_shared_from_this<FileMap> {
 public:
  // Null where the system maps no such file. Throws: Error as FileBytes.
  static std::shared_ptr<FileMap> open(const std::filesystem::path& path);
  ~FileMap();
  FileMap(const FileMap&) = delete;
  FileMap& operator=(const FileMap&) = delete;

  std::span<const std::byte> span() const { return {bytes_, size_}; }

  // Keeps the map alive. The pages that are its alone are given back when its last holder is gone.
  std::shared_ptr<std::byte[]> part(std::size_t begin, std::size_t size);

  // Reads the file from its start in blocks, through a buffer: no page of the map is touched. `take` gets the position of a block, a multiple of a large
  // power of two, and may change it.
  // Throws: Error where it is shorter by now.
  using Take = std::function<void(std::size_t, std::span<std::byte>)>;
  void read(const Take& take) const;

 private:
  FileMap(std::filesystem::path path, int descriptor, std::byte* bytes, std::size_t size);

  std::filesystem::path path_;
  int descriptor_;
  std::byte* bytes_;
  std::size_t size_;
};

}  // namespace actio::net
