// Videos as bytes and as functions.
#pragma once

#include <actio/video.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace actio::testing {

using Bytes = std::shared_ptr<const std::vector<char>>;

inline Bytes bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::make_shared<const std::vector<char>>(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

inline VideoSource memory_source(const std::string& path) {
  return VideoSource::memory(std::as_bytes(std::span(*bytes_of(path))), path);
}

// Gives a few bytes at a time.
inline VideoSource functions_source(const std::string& path, bool seeks) {
  const Bytes bytes = bytes_of(path);
  const auto at = std::make_shared<std::size_t>(0);
  const auto read = [bytes, at](std::span<std::byte> target, const std::stop_token&) {
    const std::size_t count = std::min({target.size(), bytes->size() - *at, std::size_t{1000}});
    std::ranges::copy(std::as_bytes(std::span(*bytes)).subspan(*at, count), target.begin());
    *at += count;
    return count;
  };
  const auto seek = [bytes, at](std::int64_t position) {
    *at = std::min(static_cast<std::size_t>(position), bytes->size());
    return true;
  };
  return VideoSource::callback(read, seeks ? VideoSource::SeekFn(seek) : nullptr, path, static_cast<std::int64_t>(bytes->size()));
}

}  // namespace actio::testing
