// core: whole files in and out. A file written here is either the old one or the new one, never a part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace actio {

// Whether there is something under this name. Throws: Error, kTransient where that may pass, with the system's reason where it cannot
// be looked at.
bool path_exists(const std::filesystem::path& path);

// Throws: Error(kFailed) "PATH: no such file", "PATH: is not a regular file" for a pipe or device, or with the system's
// reason; Error(kBadData) for more than 1 GiB.
std::string read_text_file(const std::filesystem::path& path);

// Writes beside `path`, flushes to the disk, then renames. On failure the old file stays and nothing is left beside it. A
// symbolic link stays: the file it leads to is written.
// Throws: Error(kFailed) "PATH: is not a regular file" for a folder, pipe or device, or with the system's reason.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);
void write_file_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

// To be called before long work whose result goes to `path`. Leaves nothing behind.
// Throws: what write_file_atomically would throw at once: for a missing folder, one without permission, an empty path, or
// something that is not a regular file.
void check_writable(const std::filesystem::path& path);

// XXH3, 128 bit, as 32 lower-case hexadecimal digits. It guards against damage, not against forgery.
std::string content_hash(std::span<const std::byte> content);
std::uint64_t content_hash64(std::span<const std::byte> content);  // XXH3, 64 bit
std::string content_hash_of_file(const std::filesystem::path& path);

}  // namespace actio
