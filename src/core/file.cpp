#include "core/file.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "core/error.h"

namespace actio {
namespace {

std::string system_reason() { return std::strerror(errno); }

std::string hex(const XXH128_hash_t& hash) { return fmt::format("{:016x}{:016x}", hash.high64, hash.low64); }

std::ifstream open_for_reading(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) fail("{}: no such file", path.string());
  if (std::filesystem::is_directory(path, code)) fail("{}: is a directory, a file was expected", path.string());
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail("{}: cannot be opened: {}", path.string(), system_reason());
  return stream;
}

void flush_to_disk(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

std::string read_text_file(const std::filesystem::path& path) {
  std::ifstream stream = open_for_reading(path);
  std::ostringstream content;
  content << stream.rdbuf();
  if (stream.bad()) fail("{}: cannot be read: {}", path.string(), system_reason());
  return std::move(content).str();
}

void write_file_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write) {
  const std::filesystem::path partial = path.string() + fmt::format(".{}.partial", ::getpid());
  try {
    std::ofstream stream(partial, std::ios::binary | std::ios::trunc);
    if (!stream) fail("{}: cannot be written: {}", path.string(), system_reason());
    write(stream);
    stream.close();
    if (!stream) fail("{}: cannot be written: {}", path.string(), system_reason());
    flush_to_disk(partial);
    std::filesystem::rename(partial, path);
  } catch (const std::filesystem::filesystem_error& error) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    fail("{}: cannot be written: {}", path.string(), error.code().message());
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    throw;
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  write_file_atomically(path, [&](std::ostream& stream) {
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  });
}

std::string content_hash(std::span<const std::byte> content) {
  return hex(XXH3_128bits(content.data(), content.size()));
}

std::string content_hash_of_file(const std::filesystem::path& path) {
  std::ifstream stream = open_for_reading(path);
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::vector<char> block(1 << 20);
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0) {
    XXH3_128bits_update(state.get(), block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  return hex(XXH3_128bits_digest(state.get()));
}

}  // namespace actio
