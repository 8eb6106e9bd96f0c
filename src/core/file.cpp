#include "core/file.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <new>
#include <vector>

#include "core/content_hash.h"
#include "core/error.h"

namespace fs = std::filesystem;

namespace actio {
namespace {

constexpr std::uint64_t kMostTextBytes = std::uint64_t{1} << 30;
constexpr std::size_t kBlockBytes = 1 << 20;
constexpr int kMostLinks = 40;  // as the kernel

std::string system_reason() { return std::strerror(errno); }

std::string hex(const XXH128_hash_t& hash) { return fmt::format("{:016x}{:016x}", hash.high64, hash.low64); }

std::ifstream open_for_reading(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::not_found) fail("{}: no such file", path.string());
  if (status.type() == fs::file_type::none) fail("{}: cannot be opened: {}", path.string(), code.message());
  if (fs::is_directory(status)) fail("{}: is a directory, a file was expected", path.string());
  // Another kind may never end, or wait forever for somebody who writes.
  if (!fs::is_regular_file(status)) fail("{}: is not a regular file", path.string());
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail("{}: cannot be opened: {}", path.string(), system_reason());
  return stream;
}

// The file that is to be replaced: where links lead to, whether or not there is something yet.
fs::path target_of(const fs::path& path) {
  if (path.empty()) fail("'': cannot be written: the name is empty");
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::none) fail("{}: cannot be written: {}", path.string(), code.message());
  if (fs::exists(status) && !fs::is_regular_file(status)) fail("{}: is not a regular file", path.string());
  fs::path target = path;
  for (int i = 0; i < kMostLinks && fs::is_symlink(fs::symlink_status(target, code)); ++i) {
    const fs::path next = fs::read_symlink(target, code);
    if (code) fail("{}: cannot be written: {}", path.string(), code.message());
    target = target.parent_path() / next;  // `next` alone where it is absolute
  }
  return target;
}

// A name beside the target that no other writer of this process or another has.
fs::path partial_name(const fs::path& target) {
  static std::atomic<std::uint64_t> count = 0;
  return target.string() + fmt::format(".{}.{}.partial", ::getpid(), count++);
}

// A write may fail only here, when the system hands it to the disk.
void flush_to_disk(const fs::path& partial, const fs::path& path) {
  const int descriptor = ::open(partial.c_str(), O_RDONLY);
  if (descriptor < 0) fail("{}: cannot be flushed to the disk: {}", path.string(), system_reason());
  const bool flushed = ::fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS;  // some file systems cannot
  const int reason = errno;
  ::close(descriptor);
  if (!flushed) fail("{}: cannot be flushed to the disk: {}", path.string(), std::strerror(reason));
}

// So that a rename survives a power cut. Not every file system can; the file itself is safe by then.
void flush_folder(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

bool path_exists(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::none) {
    fail(code_of_system_error(code.value()), "{}: cannot be looked at: {}", path.string(), code.message());
  }
  return fs::exists(status);
}

std::string read_text_file(const fs::path& path) {
  std::ifstream stream = open_for_reading(path);
  std::string content;
  std::vector<char> block(kBlockBytes);
  // Some files claim no size and have content, so only what was read is counted.
  std::error_code code;
  bool fits = fs::file_size(path, code) <= kMostTextBytes || code;
  while (fits && (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0)) {
    content.append(block.data(), static_cast<std::size_t>(stream.gcount()));
    fits = content.size() <= kMostTextBytes;
  }
  if (!fits) fail_data("{}: holds more than {} bytes, the most that is read as text", path.string(), kMostTextBytes);
  if (stream.bad()) fail("{}: cannot be read: {}", path.string(), system_reason());
  return content;
}

void check_writable(const fs::path& path) {
  const fs::path partial = partial_name(target_of(path));
  const int descriptor = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) fail("{}: cannot be written: {}", path.string(), system_reason());
  ::close(descriptor);
  ::unlink(partial.c_str());
}

void write_file_atomically(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  const fs::path target = target_of(path);
  const fs::path partial = partial_name(target);
  try {
    std::ofstream stream(partial, std::ios::binary | std::ios::trunc);
    if (!stream) fail("{}: cannot be written: {}", path.string(), system_reason());
    write(stream);
    stream.close();
    if (!stream) fail("{}: cannot be written: {}", path.string(), system_reason());
    flush_to_disk(partial, path);
    fs::rename(partial, target);
    flush_folder(target);
  } catch (const fs::filesystem_error& error) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    fail("{}: cannot be written: {}", path.string(), error.code().message());
  } catch (...) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw;
  }
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, [&](std::ostream& stream) {
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  });
}

std::string content_hash(std::span<const std::byte> content) {
  return hex(XXH3_128bits(content.data(), content.size()));
}

ContentHash::ContentHash() : state_(XXH3_createState(), [](void* state) { XXH3_freeState(static_cast<XXH3_state_t*>(state)); }) {
  if (!state_) throw std::bad_alloc();
  XXH3_128bits_reset(static_cast<XXH3_state_t*>(state_.get()));
}

void ContentHash::add(std::span<const std::byte> part) { XXH3_128bits_update(static_cast<XXH3_state_t*>(state_.get()), part.data(), part.size()); }

std::string ContentHash::text() const { return hex(XXH3_128bits_digest(static_cast<const XXH3_state_t*>(state_.get()))); }

std::uint64_t content_hash64(std::span<const std::byte> content) { return XXH3_64bits(content.data(), content.size()); }

std::string content_hash_of_file(const fs::path& path) {
  std::ifstream stream = open_for_reading(path);
  ContentHash hash;
  std::vector<char> block(kBlockBytes);
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0) {
    hash.add(std::as_bytes(std::span(block).first(static_cast<std::size_t>(stream.gcount()))));
  }
  return hash.text();
}

}  // namespace actio
