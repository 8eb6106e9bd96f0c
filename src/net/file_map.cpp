#include "net/file_map.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "core/error.h"
#include "net/file_bytes.h"

namespace actio::net {
namespace {

constexpr std::size_t kReadBlock = std::size_t{256} << 10;  // stays in the cache until it was looked at

// The pages that lie in it whole.
void give_back_pages(std::byte* begin, std::size_t size) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
  const std::uintptr_t end = (reinterpret_cast<std::uintptr_t>(begin) + size) / page * page;
  if (end > first) ::madvise(begin + (first - reinterpret_cast<std::uintptr_t>(begin)), end - first, MADV_DONTNEED);
}

}  // namespace

FileMap::FileMap(std::filesystem::path path, int descriptor, std::byte* bytes, std::size_t size)
    : path_(std::move(path)), descriptor_(descriptor), bytes_(bytes), size_(size) {}

FileMap::~FileMap() {
  ::munmap(bytes_, size_);
  ::close(descriptor_);
}

std::shared_ptr<FileMap> FileMap::open(const std::filesystem::path& path) {
  const std::size_t size = checked_file_size(path);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail("{}: cannot be opened: {}", path.string(), std::strerror(errno));
  void* bytes = size == 0 ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
  if (bytes == MAP_FAILED) {
    ::close(descriptor);
    return nullptr;
  }
  return std::shared_ptr<FileMap>(new FileMap(path, descriptor, static_cast<std::byte*>(bytes), size));
}

std::shared_ptr<std::byte[]> FileMap::part(std::size_t begin, std::size_t size) {
  return {bytes_ + begin, [map = shared_from_this(), size](std::byte* first) { give_back_pages(first, size); }};
}

void FileMap::read(const Take& take) const {
  std::vector<std::byte> block(std::min(kReadBlock, size_));
  for (std::size_t begin = 0; begin < size_; begin += block.size()) {
    const std::span part = std::span(block).first(std::min(block.size(), size_ - begin));
    for (std::size_t done = 0; done < part.size();) {
      const ssize_t count = ::pread(descriptor_, part.data() + done, part.size() - done, static_cast<off_t>(begin + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("{}: cannot be read: {}", path_.string(), std::strerror(errno));
      if (count == 0) fail("{}: {} of {} bytes could be read", path_.string(), begin + done, size_);
      done += static_cast<std::size_t>(count);
    }
    take(begin, part);
  }
}

}  // namespace actio::net
