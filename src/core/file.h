// core: whole files in and out. A file written here is either the old one or the new one, never a part.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace actio {

// Throws: Error(kFailed) "PATH: no such file" or with the system's reason.
std::string read_text_file(const std::filesystem::path& path);

// Writes beside `path`, flushes to the disk, then renames. On failure the old file stays and nothing is left beside it.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);
void write_file_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

// XXH3, 128 bit, as 32 lower-case hexadecimal digits. It guards against damage, not against forgery.
std::string content_hash(std::span<const std::byte> content);
std::string content_hash_of_file(const std::filesystem::path& path);

}  // namespace actio
