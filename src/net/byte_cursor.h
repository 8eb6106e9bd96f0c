// net: reads little-endian numbers and texts one after the other out of bytes that are not trusted.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "net/file_bytes.h"

namespace actio::net {

static_assert(std::endian::native == std::endian::little, "weights are stored little-endian and read without swapping");

class ByteCursor {
 public:
  // `where` names the bytes in messages.
  ByteCursor(std::span<const std::byte> bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }
  const std::string& where() const { return where_; }

  // Throws: Error(kBadData) if fewer than `count` bytes are left, as all that follow.
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > left()) fail_data("{}: ends {} bytes after byte {}, {} were expected", where_, left(), position_, count);
    const auto part = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += part.size();
    return part;
  }

  template <std::integral T>
  T number() {
    T value{};
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::string_view text(std::uint64_t count) { return as_text(take(count)); }

  // Up to the next line feed, which is skipped.
  std::string_view line() {
    const std::size_t length = as_text(bytes_.subspan(position_)).find('\n');
    if (length == std::string_view::npos) fail_data("{}: a line that starts at byte {} has no end", where_, position_);
    const std::string_view result = text(length);
    ++position_;
    return result;
  }

 private:
  std::span<const std::byte> bytes_;
  std::string where_;
  std::size_t position_ = 0;
};

}  // namespace actio::net
