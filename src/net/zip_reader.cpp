#include "net/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "net/byte_cursor.h"

namespace actio::net {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kEndRecord = 0x06054b50;
constexpr std::uint32_t kZip64EndRecord = 0x06064b50;
constexpr std::uint32_t kZip64Locator = 0x07064b50;
constexpr std::size_t kEndRecordSize = 22;
constexpr std::size_t kZip64LocatorSize = 20;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint16_t kEncrypted = 1;  // flag
constexpr std::uint16_t kZip64Extra = 1;
// Deflate cannot shrink by more than this, so a larger claim is false and nothing is allocated for it.
constexpr std::uint64_t kHighestRatio = 1032;

struct Directory {
  std::uint64_t count = 0;
  std::uint64_t size = 0;    // bytes
  std::uint64_t offset = 0;  // bytes from the start of the file
};

class DirectoryReader {
 public:
  DirectoryReader(std::span<const std::byte> file, const std::string& where) : file_(file), where_(where) {}

  ZipReader::Entries entries() const {
    const Directory directory = find();
    if (directory.offset > file_.size() || directory.size > file_.size() - directory.offset) {
      fail_data("{}: the zip directory lies at bytes {} + {}, the file has {}", where_, directory.offset, directory.size,
                file_.size());
    }
    ByteCursor cursor = at(directory.offset, directory.size);
    ZipReader::Entries entries;
    std::uint64_t total = 0;
    while (cursor.left() > 0) {
      auto [name, entry] = read_entry(cursor);
      // Entries that share their bytes could claim far more content than the file holds.
      total += std::min<std::uint64_t>(entry.compressed_size, file_.size() + 1);
      if (total > file_.size()) {
        fail_data("{}: the zip entries add up to more than the {} bytes of the file", where_, file_.size());
      }
      if (!entries.emplace(name, entry).second) fail_data("{}: two zip entries are named '{}'", where_, shown_name(name));
    }
    if (entries.size() != directory.count) {
      fail_data("{}: the zip directory has {} entries, {} were announced", where_, entries.size(), directory.count);
    }
    return entries;
  }

 private:
  ByteCursor at(std::uint64_t offset, std::uint64_t size) const {
    return {file_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size)), where_ + ": zip directory"};
  }

  // The end record is the last in the file but for a comment of at most 65535 bytes.
  std::size_t find_end_record() const {
    if (file_.size() >= kEndRecordSize) {
      const std::size_t last = file_.size() - kEndRecordSize;
      const std::size_t lowest = last - std::min<std::size_t>(last, std::numeric_limits<std::uint16_t>::max());
      for (std::size_t position = last + 1; position-- > lowest;) {
        ByteCursor cursor = at(position, kEndRecordSize);
        if (cursor.number<std::uint32_t>() != kEndRecord) continue;
        cursor.take(16);
        if (cursor.number<std::uint16_t>() == last - position) return position;
      }
    }
    fail_data("{}: has no end of a zip archive; is the file truncated?", where_);
  }

  Directory find() const {
    const std::size_t position = find_end_record();
    ByteCursor cursor = at(position + 4, kEndRecordSize - 4);
    if (cursor.number<std::uint32_t>() != 0) fail_data("{}: is one part of a zip archive in several files", where_);
    cursor.take(2);
    Directory directory;
    directory.count = cursor.number<std::uint16_t>();
    directory.size = cursor.number<std::uint32_t>();
    directory.offset = cursor.number<std::uint32_t>();
    if (position >= kZip64LocatorSize) {
      ByteCursor locator = at(position - kZip64LocatorSize, kZip64LocatorSize);
      if (locator.number<std::uint32_t>() == kZip64Locator) {
        locator.take(4);
        return find_zip64(locator.number<std::uint64_t>());
      }
    }
    return directory;
  }

  Directory find_zip64(std::uint64_t offset) const {
    constexpr std::size_t kRecordSize = 56;
    if (offset > file_.size() || file_.size() - offset < kRecordSize) {
      fail_data("{}: the zip64 end record lies at byte {}, the file has {}", where_, offset, file_.size());
    }
    ByteCursor cursor = at(offset, kRecordSize);
    const auto signature = cursor.number<std::uint32_t>();
    if (signature != kZip64EndRecord) {
      fail_data("{}: the zip64 end record starts with {:08x}, {:08x} was expected", where_, signature, kZip64EndRecord);
    }
    cursor.take(28);
    Directory directory;
    directory.count = cursor.number<std::uint64_t>();
    directory.size = cursor.number<std::uint64_t>();
    directory.offset = cursor.number<std::uint64_t>();
    return directory;
  }

  std::pair<std::string, ZipEntry> read_entry(ByteCursor& cursor) const {
    const auto signature = cursor.number<std::uint32_t>();
    if (signature != kCentralHeader) {
      fail_data("{}: an entry of the zip directory starts with {:08x}, {:08x} was expected", where_, signature,
                kCentralHeader);
    }
    cursor.take(4);
    const auto flags = cursor.number<std::uint16_t>();
    ZipEntry entry;
    entry.method = cursor.number<std::uint16_t>();
    cursor.take(4);
    entry.crc = cursor.number<std::uint32_t>();
    entry.compressed_size = cursor.number<std::uint32_t>();
    entry.size = cursor.number<std::uint32_t>();
    const auto name_length = cursor.number<std::uint16_t>();
    const auto extra_length = cursor.number<std::uint16_t>();
    const auto comment_length = cursor.number<std::uint16_t>();
    cursor.take(8);
    entry.header_offset = cursor.number<std::uint32_t>();
    std::string name(cursor.text(name_length));
    apply_zip64(entry, {cursor.take(extra_length), fmt::format("{}: zip entry '{}'", where_, shown_name(name))});
    cursor.take(comment_length);
    if ((flags & kEncrypted) != 0) fail_data("{}: zip entry '{}' is encrypted", where_, shown_name(name));
    return {std::move(name), entry};
  }

  // A field of the directory that is all ones has its value in the zip64 extra field, in this order.
  static void apply_zip64(ZipEntry& entry, ByteCursor extra) {
    constexpr std::uint32_t kElsewhere = 0xFFFFFFFF;
    while (extra.left() > 0) {
      const auto kind = extra.number<std::uint16_t>();
      const auto length = extra.number<std::uint16_t>();
      ByteCursor field(extra.take(length), extra.where());
      if (kind != kZip64Extra) continue;
      for (std::uint64_t* value : {&entry.size, &entry.compressed_size, &entry.header_offset}) {
        if (*value == kElsewhere) *value = field.number<std::uint64_t>();
      }
      return;
    }
  }

  std::span<const std::byte> file_;
  const std::string& where_;
};

// Grows with what inflates, so that a damaged entry with a large claim costs no memory.
class InflatedBytes {
 public:
  InflatedBytes(std::size_t claimed, std::size_t packed) : claimed_(claimed) { reserve(2 * packed + kSmallest); }

  std::span<std::byte> room() {
    if (written_ == capacity_ && written_ < claimed_) reserve(2 * capacity_);
    return {content_.get() + written_, capacity_ - written_};
  }
  void add(std::size_t count) { written_ += count; }
  std::size_t written() const { return written_; }
  std::unique_ptr<std::byte[]> take() { return std::move(content_); }

 private:
  static constexpr std::size_t kSmallest = 4096;  // bytes

  void reserve(std::size_t wanted) {
    capacity_ = std::min(claimed_, wanted);
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity_);
    std::copy_n(content_.get(), written_, larger.get());
    content_ = std::move(larger);
  }

  std::unique_ptr<std::byte[]> content_;
  std::size_t claimed_;
  std::size_t capacity_ = 0;
  std::size_t written_ = 0;
};

ZipContent inflate_entry(std::span<const std::byte> packed, std::size_t size, const std::string& where) {
  if (size / kHighestRatio > packed.size()) {
    fail_data("{}: {} bytes cannot hold {} by deflate", where, packed.size(), size);
  }
  InflatedBytes content(size, packed.size());
  z_stream stream{};
  constexpr int kRawDeflate = -15;
  if (inflateInit2(&stream, kRawDeflate) != Z_OK) fail("{}: zlib cannot start", where);
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, &inflateEnd);
  std::size_t read = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    constexpr std::size_t kStep = std::size_t{1} << 30;  // zlib counts in 32 bits
    const std::span<std::byte> room = content.room();
    const std::size_t give = std::min(kStep, packed.size() - read);
    const std::size_t take = std::min(kStep, room.size());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + read));
    stream.avail_in = static_cast<uInt>(give);
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(take);
    status = inflate(&stream, Z_NO_FLUSH);
    read += give - stream.avail_in;
    content.add(take - stream.avail_out);
  }
  if (status != Z_STREAM_END || content.written() != size || read != packed.size()) {
    fail_data("{}: damaged: inflated to {} bytes from {}, {} bytes from {} were expected", where, content.written(), read,
              size, packed.size());
  }
  return {content.take(), size};
}

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

ZipReader::ZipReader(std::span<const std::byte> file, std::string where)
    : file_(file), where_(std::move(where)), entries_(DirectoryReader(file_, where_).entries()) {}

ZipContent ZipReader::read(std::string_view name) const {
  const std::string where = fmt::format("{}: zip entry '{}'", where_, shown_name(name));
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail_data("{} is missing", where);
  const ZipEntry& entry = found->second;
  if (entry.header_offset > file_.size()) {
    fail_data("{} lies at byte {}, the file has {}", where, entry.header_offset, file_.size());
  }
  ByteCursor cursor(file_.subspan(static_cast<std::size_t>(entry.header_offset)), where);
  const auto signature = cursor.number<std::uint32_t>();
  if (signature != kLocalHeader) fail_data("{} starts with {:08x}, {:08x} was expected", where, signature, kLocalHeader);
  cursor.take(22);
  const auto name_length = cursor.number<std::uint16_t>();
  const auto extra_length = cursor.number<std::uint16_t>();
  if (const std::string_view local_name = cursor.text(name_length); local_name != name) {
    fail_data("{} is named '{}' at its place in the file", where, shown_name(local_name));
  }
  cursor.take(extra_length);
  const auto packed = cursor.take(entry.compressed_size);
  if (entry.method != kStored && entry.method != kDeflated) {
    fail_data("{}: compression method {}, 0 (stored) or 8 (deflate) were expected", where, entry.method);
  }
  if (entry.method == kStored && entry.size != packed.size()) {
    fail_data("{}: stored in {} bytes, {} were expected", where, packed.size(), entry.size);
  }
  ZipContent content =
      entry.method == kStored ? ZipContent(packed) : inflate_entry(packed, static_cast<std::size_t>(entry.size), where);
  if (const std::uint32_t crc = crc_of(content.bytes()); crc != entry.crc) {
    fail_data("{} is damaged: CRC-32 {:08x}, recorded {:08x}", where, crc, entry.crc);
  }
  return content;
}

}  // namespace actio::net
