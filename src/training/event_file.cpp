#include "training/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>

#include "core/error.h"
#include "data/utf8.h"

namespace fs = std::filesystem;

namespace actio::training {
namespace event_encoding {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";
constexpr std::int64_t kLastTime = 9'999'999'999;  // names have ten digits, so that they sort by time

constexpr std::array<std::uint32_t, 256> castagnoli_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t remainder = i;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1U) != 0 ? 0x82F63B78U : 0U);
    table[i] = remainder;
  }
  return table;
}

// CRC-32C, rotated and shifted: a checksum of data that holds checksums would be weak.
std::uint32_t masked_checksum(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = castagnoli_table();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFFU];
  return std::rotr(~crc, 15) + 0xA282EAD8U;
}

template <typename T>
void put_little_endian(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i));
}

void put_record(std::string& out, std::string_view content) {
  std::string length;
  put_little_endian(length, static_cast<std::uint64_t>(content.size()));
  out += length;
  put_little_endian(out, masked_checksum(length));
  out += content;
  put_little_endian(out, masked_checksum(content));
}

// A message of Protocol Buffers, by the numbers of its fields.
class Message {
 public:
  Message& integer(unsigned field, std::int64_t value) {
    key(field, 0);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  Message& real(unsigned field, double value) {
    key(field, 1);
    put_little_endian(bytes_, std::bit_cast<std::uint64_t>(value));
    return *this;
  }
  Message& real(unsigned field, float value) {
    key(field, 5);
    put_little_endian(bytes_, std::bit_cast<std::uint32_t>(value));
    return *this;
  }
  Message& bytes(unsigned field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& raw(std::string_view fields) {
    bytes_ += fields;
    return *this;
  }
  const std::string& done() const { return bytes_; }

 private:
  void key(unsigned field, unsigned type) { varint(field << 3 | type); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

// Fields of Event and of what it holds.
enum : unsigned { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7 };
enum : unsigned { kSummaryValue = 1, kTag = 1, kSimpleValue = 2, kTensor = 8, kMetadata = 9 };
enum : unsigned { kSessionStatus = 1, kSessionStart = 1 };
enum : unsigned { kPluginData = 1, kPluginName = 1, kDataClass = 4, kDataClassTensor = 2 };
enum : unsigned { kDtype = 1, kDtypeString = 7, kTensorShape = 2, kStringValue = 8, kDimension = 2, kDimensionSize = 1 };

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string as_utf8(std::string_view text) {
  if (data::is_utf8(text)) return std::string(text);
  std::string result;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x80) result += byte;
    else result += fmt::format("\\x{:02x}", code);
  }
  return result;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

// After the time in the name of every event file of the folder, whatever the clock says now.
std::int64_t next_time(const fs::path& folder) {
  auto time = static_cast<std::int64_t>(now());
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    std::int64_t other = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), other);
    if (other < kLastTime) time = std::max(time, other + 1);
  }
  return time;
}

// Returns: 0, or the system's error number.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0 ? ENOSPC : errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace
}  // namespace event_encoding

using event_encoding::Message;

EventFile::EventFile(const fs::path& folder, std::int64_t first_step) {
  open(folder);
  const double time = event_encoding::now();
  event(0, time, Message().bytes(event_encoding::kFileVersion, "brain.Event:2").done());
  // In the first file, too: TensorBoard takes only the second start that it sees for a restart.
  const Message start = Message().integer(event_encoding::kSessionStatus, event_encoding::kSessionStart);
  event(first_step, time, Message().bytes(event_encoding::kSessionLog, start.done()).done());
  flush();
}

EventFile::~EventFile() {
  try {
    flush();
  } catch (const Error&) {  // the last numbers of a training that is over
  }
  if (descriptor_ >= 0) ::close(descriptor_);
}

void EventFile::open(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail("{}: cannot be written: {}", folder.string(), code.message());
  const std::string host = event_encoding::host_name();
  const std::int64_t first = event_encoding::next_time(folder);
  // Another program may take the same name at the same moment.
  for (std::int64_t time = first; descriptor_ < 0; ++time) {
    path_ = folder / fmt::format("{}{:010}.{}.actio", event_encoding::kPrefix, time, host);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && (errno != EEXIST || time - first >= 100)) {
      fail("{}: cannot be written: {}", path_.string(), std::strerror(errno));
    }
  }
}

void EventFile::event(std::int64_t step, double wall_time, std::string_view what) {
  if (descriptor_ < 0) return;
  Message message;
  message.real(event_encoding::kWallTime, wall_time).integer(event_encoding::kStep, step).raw(what);
  event_encoding::put_record(pending_, message.done());
}

void EventFile::scalar(std::string_view tag, double value, std::int64_t step, std::optional<double> wall_time) {
  Message point;
  point.bytes(event_encoding::kTag, event_encoding::as_utf8(tag));
  point.real(event_encoding::kSimpleValue, static_cast<float>(value));
  const Message summary = Message().bytes(event_encoding::kSummaryValue, point.done());
  event(step, wall_time.value_or(event_encoding::now()), Message().bytes(event_encoding::kSummary, summary.done()).done());
}

void EventFile::text(std::string_view tag, std::string_view markdown, std::int64_t step) {
  const Message dimension = Message().integer(event_encoding::kDimensionSize, 1);
  const Message shape = Message().bytes(event_encoding::kDimension, dimension.done());
  Message tensor;
  tensor.integer(event_encoding::kDtype, event_encoding::kDtypeString).bytes(event_encoding::kTensorShape, shape.done());
  tensor.bytes(event_encoding::kStringValue, event_encoding::as_utf8(markdown));
  const Message plugin = Message().bytes(event_encoding::kPluginName, "text");
  Message metadata;
  metadata.bytes(event_encoding::kPluginData, plugin.done());
  metadata.integer(event_encoding::kDataClass, event_encoding::kDataClassTensor);
  Message value;
  value.bytes(event_encoding::kTag, event_encoding::as_utf8(tag)).bytes(event_encoding::kTensor, tensor.done());
  value.bytes(event_encoding::kMetadata, metadata.done());
  const Message summary = Message().bytes(event_encoding::kSummaryValue, value.done());
  event(step, event_encoding::now(), Message().bytes(event_encoding::kSummary, summary.done()).done());
}

void EventFile::flush() {
  if (descriptor_ < 0 || pending_.empty()) return;
  const int reason = event_encoding::write_all(descriptor_, pending_);
  if (reason == 0) {
    written_ += static_cast<std::int64_t>(pending_.size());
    pending_.clear();
    return;
  }
  [[maybe_unused]] const int cut = ::ftruncate(descriptor_, written_);  // where it fails, readers stop at the broken record
  ::close(descriptor_);
  descriptor_ = -1;
  fail("{}: cannot be written: {}", path_.string(), std::strerror(reason));
}

}  // namespace actio::training
