#include "data/flow_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>

#include "core/file.h"
#include "core/json.h"

namespace actio::data {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

using Bytes = std::span<const std::byte>;

constexpr std::string_view kMagic = "ACTIOFLW";  // and, as a number of 8 bytes, the version
constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kPrefixBytes = 16;
constexpr std::string_view kEnd = "FLOW-END";
constexpr std::uint64_t kFooterBytes = 32;  // offset of the header, its bytes, frames, hash, kEnd
constexpr std::uint64_t kEntryBytes = 28;
constexpr std::uint64_t kMostHeaderBytes = 1 << 16;  // and for each frame
constexpr std::uint64_t kMostTimeBytes = 16;         // these, for its time
constexpr std::uint64_t kMostImageBytes = std::uint64_t{1} << 27;
constexpr int kCompressionLevel = 9;  // takes a small part of the time that the flow takes

template <typename T>
void put(std::vector<std::byte>& bytes, T value) {
  const auto raw = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

template <typename T>
T take(Bytes& bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes = bytes.subspan(sizeof(T));
  return value;
}

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// The footer's own numbers are hashed too.
std::uint64_t directory_hash(Bytes directory, Bytes numbers) {
  std::vector<std::byte> all(directory.begin(), directory.end());
  all.insert(all.end(), numbers.begin(), numbers.end());
  return content_hash64(all);
}

// The steps from frame to frame, which are short.
Json times_json(const FrameTimes& times) {
  Json steps = Json::array();
  for (std::size_t i = 1; i < times.microseconds.size(); ++i) steps.push_back(times.microseconds[i] - times.microseconds[i - 1]);
  return steps;
}

FrameTimes times_from(const Json& facts) {
  std::vector<std::int64_t> times = {0};
  for (const Json& step : facts.at("times")) {
    if (!step.is_number_integer()) fail_data("a step of time is {}", step.dump());
    // What a file holds that was not written by actio must not overflow.
    times.push_back(times.back() + std::clamp<std::int64_t>(step.get<std::int64_t>(), 0, std::int64_t{1} << 31));
  }
  FrameTimes checked = frame_times(std::move(times));
  if (checked.fault.empty()) checked.fault = facts.value("time_fault", std::string());
  return checked;
}

Json facts_json(const ClipFacts& f, bool has_times) {
  Json json = {{"frames", f.frames},     {"damaged", f.damaged},     {"errors", f.errors},
               {"claimed", f.claimed},   {"container", f.container}, {"frames_per_second", f.frames_per_second},
               {"duration", f.duration}, {"last_time", f.last_time}, {"left_out", f.left_out}};
  if (!has_times) return json;
  json["times"] = times_json(f.times);
  json["time_fault"] = f.times.fault;
  return json;
}

// Throws: Json's exceptions.
ClipFacts facts_from(const Json& json) {
  const auto count = [&](const char* key) {
    const Json& value = json.at(key);
    return value.is_number_integer() ? std::max<std::int64_t>(0, value.get<std::int64_t>()) : 0;
  };
  const auto number = [&](const char* key) { return json.at(key).get<double>(); };
  // Earlier files say whether there are frames to be left out, which they number with the others.
  const bool none = json.contains("headless") && !json.at("headless").get<bool>();
  const std::int64_t left_out = none ? 0 : (json.at("left_out"), count("left_out"));
  return {count("frames"),
          count("damaged"),
          count("errors"),
          count("claimed"),
          json.at("container").get<std::string>(),
          number("frames_per_second"),
          number("duration"),
          number("last_time"),
          left_out,
          false,
          json.contains("times") ? times_from(json) : FrameTimes()};
}

std::shared_ptr<const int> open_file(const std::string& path, std::uint64_t& size) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail(code_of_system_error(errno), "{}: cannot be opened: {}", path, std::strerror(errno));
  const auto close = [](const int* owned) {
    ::close(*owned);
    delete owned;
  };
  std::shared_ptr<const int> file(new int(descriptor), close);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail(code_of_system_error(errno), "{}: cannot be read: {}", path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail("{}: is not a regular file", path);
  size = static_cast<std::uint64_t>(status.st_size);
  return file;
}

}  // namespace

template <typename... Args>
void FlowFile::damaged(fmt::format_string<Args...> format, Args&&... args) const {
  throw FlowFileDamage(fmt::format("{}: is no whole flow file: {}", name_, fmt::format(format, std::forward<Args>(args)...)));
}

FlowFile::FlowFile(const std::filesystem::path& path) : name_(path.string()) {
  const std::shared_ptr<const int> file = open_file(name_, size_);
  // Not mapped: a file that is cut while it is read must not end the process.
  read_ = [file, name = name_](std::uint64_t offset, std::span<std::byte> target) {
    while (!target.empty()) {
      const ssize_t count = ::pread(*file, target.data(), target.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(code_of_system_error(errno), "{}: cannot be read: {}", name, std::strerror(errno));
      if (count == 0) throw FlowFileDamage(fmt::format("{}: is no whole flow file: it ends at byte {}", name, offset));
      offset += static_cast<std::uint64_t>(count);
      target = target.subspan(static_cast<std::size_t>(count));
    }
  };
  open();
}

FlowFile::FlowFile(std::span<const std::byte> content, const std::string& name) : name_(name), size_(content.size()) {
  read_ = [content](std::uint64_t offset, std::span<std::byte> target) {
    if (!target.empty()) std::memcpy(target.data(), content.data() + offset, target.size());
  };
  open();
}

void FlowFile::open() {
  if (size_ < kPrefixBytes + kFooterBytes) damaged("it has {} bytes", size_);
  std::array<std::byte, kPrefixBytes> prefix{};
  read_(0, prefix);
  Bytes start(prefix);
  if (text_of(start.first(kMagic.size())) != kMagic) damaged("it does not begin with {}", kMagic);
  start = start.subspan(kMagic.size());
  if (const auto version = take<std::uint64_t>(start); version != kVersion) {
    damaged("its version is {}, this program reads {}", version, kVersion);
  }
  std::array<std::byte, kFooterBytes> footer{};
  const std::uint64_t footer_offset = size_ - kFooterBytes;
  read_(footer_offset, footer);
  Bytes end(footer);
  const auto offset = take<std::uint64_t>(end);
  const std::uint64_t header_bytes = take<std::uint32_t>(end), frames = take<std::uint32_t>(end);
  const auto hash = take<std::uint64_t>(end);
  if (text_of(end) != kEnd) damaged("it does not end with {}", kEnd);
  if (offset < kPrefixBytes || offset > footer_offset || header_bytes > kMostHeaderBytes + frames * kMostTimeBytes ||
      header_bytes + frames * kEntryBytes != footer_offset - offset) {
    damaged("{} bytes of header and {} frames at byte {} do not fit into {} bytes", header_bytes, frames, offset, size_);
  }
  std::vector<std::byte> directory(static_cast<std::size_t>(footer_offset - offset));
  read_(offset, directory);
  if (directory_hash(directory, Bytes(footer).first(16)) != hash) damaged("the hash of its index is wrong");
  const Bytes all(directory);
  read_index(all.subspan(static_cast<std::size_t>(header_bytes)), offset);
  read_header(text_of(all.first(static_cast<std::size_t>(header_bytes))));
}

void FlowFile::read_index(std::span<const std::byte> bytes, std::uint64_t end) {
  index_.reserve(bytes.size() / kEntryBytes);
  while (!bytes.empty()) {
    Entry e{};
    e.offset = take<std::uint64_t>(bytes);
    e.hash = take<std::uint64_t>(bytes);
    e.bytes = take<std::uint32_t>(bytes);
    for (std::uint16_t* side : {&e.width, &e.height, &e.frame_width, &e.frame_height}) *side = take<std::uint16_t>(bytes);
    if (e.offset < kPrefixBytes || e.offset > end || e.bytes > end - e.offset) {
      damaged("field {} at byte {} has {} bytes, but the fields end at {}", index_.size(), e.offset, e.bytes, end);
    }
    if (e.width == 0 || e.height == 0 || e.frame_width == 0 || e.frame_height == 0 ||
        2ULL * e.width * e.height > kMostImageBytes) {
      damaged("field {} has {} x {} pixels for a frame of {} x {}", index_.size(), e.width, e.height, e.frame_width,
              e.frame_height);
    }
    index_.push_back(e);
  }
}

void FlowFile::read_header(std::string_view text) {
  try {
    const Json json = parse_json(text, "it");
    header_.parameters = json.at("parameters");
    header_.video = json.at("video").get<std::string>();
    header_.fingerprint = json.at("fingerprint").get<std::string>();
    header_.facts = facts_from(json.at("facts"));
    header_.has_times = json.at("facts").contains("times");
  } catch (const Json::exception& error) {
    damaged("its header: {}", error.what());
  } catch (const Error& error) {
    damaged("its header: {}", error.what());
  }
  if (!header_.parameters.is_object()) damaged("its parameters are no object");
  if (header_.facts.frames != frames() || index_.empty()) {
    damaged("its header counts {} frames, its index {}", header_.facts.frames, frames());
  }
  const std::size_t times = header_.facts.times.microseconds.size();
  if (times > 0 && times != index_.size()) damaged("it has the times of {} frames, and {} fields", times, frames());
}

std::vector<std::byte> FlowFile::block(std::int64_t index) const {
  if (index < 0 || index >= frames()) fail_internal("{}: has {} frames, not frame {}", name_, frames(), index);
  const Entry& e = index_[static_cast<std::size_t>(index)];
  std::vector<std::byte> packed(e.bytes);
  read_(e.offset, packed);
  if (content_hash64(packed) != e.hash) damaged("the hash of field {} is wrong", index);
  return packed;
}

MotionImage FlowFile::field(std::int64_t index) const {
  const std::vector<std::byte> packed = block(index);
  const Entry& e = index_[static_cast<std::size_t>(index)];
  const std::int64_t width = e.width;
  Tensor image({2, e.height, width}, DType::kU8);
  const std::size_t count = ZSTD_decompress(image.raw(), image.bytes(), packed.data(), packed.size());
  if (ZSTD_isError(count) != 0 || count != image.bytes()) damaged("field {} cannot be unpacked", index);
  std::uint8_t* level = image.data<std::uint8_t>();
  for (std::int64_t i = width; i < image.numel(); ++i) level[i] = static_cast<std::uint8_t>(level[i] + level[i - width]);
  return {std::move(image), e.frame_width, e.frame_height};
}

void FlowFile::verify() const {
  for (std::int64_t i = 0; i < frames(); ++i) block(i);
}

PackedField pack_field(const MotionImage& field) {
  const Tensor& image = field.image;
  const std::int64_t width = image.dim(2), count = image.numel();
  if (image.bytes() > kMostImageBytes) {
    fail("a motion image of {} x {} pixels is too large to be kept", width, image.dim(1));
  }
  // Each pixel less the one above it: flow is smooth, and what is left is mostly zero.
  const std::uint8_t* level = image.data<std::uint8_t>();
  std::vector<std::uint8_t> left(level, level + count);
  for (std::int64_t i = count - 1; i >= width; --i) {
    left[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(level[i] - level[i - width]);
  }
  PackedField packed{{}, width, image.dim(1), field.frame_width, field.frame_height};
  packed.bytes.resize(ZSTD_compressBound(left.size()));
  const std::size_t bytes = ZSTD_compress(packed.bytes.data(), packed.bytes.size(), left.data(), left.size(), kCompressionLevel);
  if (ZSTD_isError(bytes) != 0) fail("a motion image cannot be packed: {}", ZSTD_getErrorName(bytes));
  packed.bytes.resize(bytes);
  packed.bytes.shrink_to_fit();
  return packed;
}

FlowFileWriter::FlowFileWriter(std::ostream& out) : out_(out), offset_(kPrefixBytes) {
  out_ << kMagic;
  out_.write(reinterpret_cast<const char*>(&kVersion), sizeof(kVersion));
}

void FlowFileWriter::add(const PackedField& field) {
  put(index_, offset_);
  put(index_, content_hash64(field.bytes));
  put(index_, static_cast<std::uint32_t>(field.bytes.size()));
  for (const std::int64_t side : {field.width, field.height, std::int64_t{field.frame_width}, std::int64_t{field.frame_height}}) {
    put(index_, static_cast<std::uint16_t>(side));
  }
  out_.write(reinterpret_cast<const char*>(field.bytes.data()), static_cast<std::streamsize>(field.bytes.size()));
  offset_ += field.bytes.size();
  ++frames_;
}

void FlowFileWriter::finish(const FlowHeader& header) {
  const Json json = {{"written_by", "actio " ACTIO_VERSION},
                     {"video", header.video},
                     {"fingerprint", header.fingerprint},
                     {"facts", facts_json(header.facts, header.has_times)},
                     {"parameters", header.parameters}};
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::vector<std::byte> directory(bytes_of(text).begin(), bytes_of(text).end());
  directory.insert(directory.end(), index_.begin(), index_.end());
  std::vector<std::byte> footer;
  put(footer, offset_);
  put(footer, static_cast<std::uint32_t>(text.size()));
  put(footer, frames_);
  put(footer, directory_hash(directory, footer));
  footer.insert(footer.end(), bytes_of(kEnd).begin(), bytes_of(kEnd).end());
  for (const auto& part : {directory, footer}) {
    out_.write(reinterpret_cast<const char*>(part.data()), static_cast<std::streamsize>(part.size()));
  }
}

}  // namespace actio::data
