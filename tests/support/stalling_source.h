// A video that stops coming: the first bytes of a file, and then nothing until a stop is requested.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>

#include "video/source.h"

namespace actio::testing {

inline video::Source stalling_source(const std::string& path, double share, const std::string& name) {
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const auto given = std::make_shared<std::size_t>(0);
  const auto end = static_cast<std::size_t>(share * static_cast<double>(bytes.size()));
  const auto read = [bytes, end, given](std::span<std::byte> target, const std::stop_token& token) -> std::size_t {
    const std::size_t got = std::min(target.size(), end - *given);
    std::memcpy(target.data(), bytes.data() + *given, got);
    *given += got;
    if (got > 0) return got;
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, token, [] { return false; });
    return 0;
  };
  return video::Source::callback(read, {}, name);
}

}  // namespace actio::testing
