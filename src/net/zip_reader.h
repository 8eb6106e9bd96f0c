// net: the entries of a zip archive in memory, as PyTorch writes it: stored or deflated, with or without zip64 records.
// In: the bytes of the file. Out: the bytes of an entry, checked against its CRC-32.
// Source: PKWARE's APPNOTE, sections 4.3 to 4.5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace actio::net {

struct ZipEntry {
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc = 0;
  std::uint64_t compressed_size = 0;  // bytes
  std::uint64_t size = 0;             // bytes
  std::uint64_t header_offset = 0;    // bytes from the start of the file
};

class ZipContent {
 public:
  explicit ZipContent(std::span<const std::byte> stored) : bytes_(stored) {}
  ZipContent(std::unique_ptr<std::byte[]> inflated, std::size_t size)
      : owned_(std::move(inflated)), bytes_(owned_.get(), size) {}

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::unique_ptr<std::byte[]> owned_;
  std::span<const std::byte> bytes_;
};

class ZipReader {
 public:
  using Entries = std::map<std::string, ZipEntry, std::less<>>;

  // `file` must outlive the reader and its contents. Throws: Error(kBadData) naming `where`.
  ZipReader(std::span<const std::byte> file, std::string where);

  const Entries& entries() const { return entries_; }

  // Throws: Error(kBadData) naming the entry, if there is none of this name or it is damaged.
  ZipContent read(std::string_view name) const;

 private:
  std::span<const std::byte> file_;
  std::string where_;
  Entries entries_;
};

}  // namespace actio::net
