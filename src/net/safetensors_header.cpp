#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "net/byte_cursor.h"
#include "net/safetensors.h"

namespace actio::net {
namespace {

constexpr std::uint64_t kLongestHeader = 100'000'000;  // bytes; the limit of the safetensors library
constexpr std::size_t kHighestRank = 16;

struct DTypeName {
  std::string_view name;
  DType dtype;
};

constexpr std::array<DTypeName, 10> kDTypeNames = {{{"F32", DType::kF32},
                                                    {"BF16", DType::kBf16},
                                                    {"F16", DType::kF16},
                                                    {"F64", DType::kF64},
                                                    {"I8", DType::kI8},
                                                    {"U8", DType::kU8},
                                                    {"I16", DType::kI16},
                                                    {"I32", DType::kI32},
                                                    {"I64", DType::kI64},
                                                    {"BOOL", DType::kU8}}};

// Takes the header event by event, so that a hostile one can neither nest deeply nor grow in memory, and a name that appears
// twice is seen.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& where) : where_(where) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a truth value"); }
  bool number_integer(std::int64_t value) override { unexpected(fmt::format("{}", value)); }
  bool number_float(double, const std::string& text) override { unexpected(text); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(std::uint64_t value) override {
    if (place_ == Place::kShape) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) unexpected(fmt::format("{}", value));
      if (entry_.shape.size() == kHighestRank) fail_tensor(fmt::format("has more than {} dimensions", kHighestRank));
      entry_.shape.push_back(static_cast<std::int64_t>(value));
    } else if (place_ == Place::kOffsets && offsets_.size() < 2) {
      offsets_.push_back(value);
    } else {
      unexpected(fmt::format("{}", value));
    }
    return true;
  }

  bool string(std::string& value) override {
    if (place_ == Place::kMetadata) {
      header_.metadata.emplace(field_, value);
    } else if (place_ == Place::kTensor && field_ == "dtype") {
      const auto* known = std::ranges::find(kDTypeNames, value, &DTypeName::name);
      if (known == kDTypeNames.end()) fail_tensor(fmt::format("unknown element type '{}'", shown_name(value)));
      entry_.dtype = known->dtype;
    } else {
      unexpected(fmt::format("'{}'", shown_name(value)));
    }
    return true;
  }

  bool key(std::string& value) override {
    if (place_ == Place::kTensors) {
      entry_ = {};
      entry_.name = value;
    } else {
      field_ = value;
    }
    auto& names = place_ == Place::kTensors ? tensor_names_ : field_names_;
    if (!names.insert(value).second) {
      if (place_ == Place::kTensors) fail_data("{}: two tensors are named '{}'", where_, shown_name(value));
      fail_tensor(fmt::format("has '{}' twice", shown_name(value)));
    }
    const bool known = place_ != Place::kTensor || value == "dtype" || value == "shape" || value == "data_offsets";
    if (!known) fail_tensor(fmt::format("unknown key '{}'", shown_name(value)));
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kOutside) {
      place_ = Place::kTensors;
    } else if (place_ == Place::kTensors) {
      place_ = entry_.name == "__metadata__" ? Place::kMetadata : Place::kTensor;
      field_names_.clear();
      offsets_.clear();
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor) finish_tensor();
    place_ = place_ == Place::kTensors ? Place::kOutside : Place::kTensors;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::kTensor || field_ == "dtype") unexpected("a list");
    place_ = field_ == "shape" ? Place::kShape : Place::kOffsets;
    return true;
  }

  bool end_array() override {
    place_ = Place::kTensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fail_data("{}: the header is not JSON in UTF-8: error at byte {} of it", where_, position);
  }

 private:
  enum class Place { kOutside, kTensors, kMetadata, kTensor, kShape, kOffsets };

  [[noreturn]] void fail_tensor(const std::string& what) const {
    fail_data("{}: tensor '{}': {}", where_, shown_name(entry_.name), what);
  }

  [[noreturn]] void unexpected(const std::string& what) const {
    if (place_ == Place::kOutside) fail_data("{}: the header must be an object, got {}", where_, what);
    fail_tensor(
        fmt::format("{} cannot be {}", place_ == Place::kTensors ? "its value" : "'" + shown_name(field_) + "'", what));
  }

  void finish_tensor() {
    for (const char* needed : {"dtype", "shape", "data_offsets"}) {
      if (!field_names_.contains(needed)) fail_tensor(fmt::format("has no '{}'", needed));
    }
    if (offsets_.size() != 2) fail_tensor(fmt::format("'data_offsets' must be 2 numbers, got {}", offsets_.size()));
    entry_.begin = offsets_[0];
    entry_.end = offsets_[1];
    header_.entries.push_back(entry_);
  }

  const std::string& where_;
  SafetensorsHeader header_;
  Place place_ = Place::kOutside;
  std::set<std::string> tensor_names_;
  std::set<std::string> field_names_;
  SafetensorsEntry entry_;
  std::string field_;
  std::vector<std::uint64_t> offsets_;
};

std::uint64_t expected_bytes(const SafetensorsEntry& entry, const std::string& where) {
  try {
    return static_cast<std::uint64_t>(shape_numel(entry.shape)) * dtype_size(entry.dtype);
  } catch (const Error& error) {
    fail_data("{}: tensor '{}': {}", where, shown_name(entry.name), error.what());
  }
}

void check_entries(std::vector<SafetensorsEntry>& entries, std::uint64_t data_bytes, const std::string& where) {
  for (const SafetensorsEntry& entry : entries) {
    const std::string name = shown_name(entry.name);
    if (entry.begin > entry.end || entry.end > data_bytes) {
      fail_data("{}: tensor '{}': bytes {} to {} are outside of the {} bytes of data", where, name, entry.begin, entry.end,
                data_bytes);
    }
    const std::uint64_t wanted = expected_bytes(entry, where);
    if (entry.end - entry.begin != wanted) {
      fail_data("{}: tensor '{}': {} {} needs {} bytes, got {}", where, name, dtype_name(entry.dtype),
                shape_text(entry.shape), wanted, entry.end - entry.begin);
    }
  }
  std::ranges::sort(entries, {}, [](const SafetensorsEntry& entry) { return std::pair(entry.begin, entry.end); });
  std::uint64_t position = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != position) {
      fail_data("{}: tensor '{}': starts at byte {} of the data, the tensor before it ends at {}", where,
                shown_name(entry.name), entry.begin, position);
    }
    position = entry.end;
  }
  if (position != data_bytes) {
    fail_data("{}: the tensors end at byte {} of the data, which has {}", where, position, data_bytes);
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, const std::string& where) {
  ByteCursor cursor(file, where);
  const auto length = cursor.number<std::uint64_t>();
  if (length > kLongestHeader || length > cursor.left()) {
    fail_data("{}: is no model or weights as .safetensors, or cut: the header has {} bytes by its first number, {} are there", where, length,
              cursor.left());
  }
  const std::string_view text = cursor.text(length);
  // The JSON parser takes a zero byte for the end of its input and skips a byte order mark.
  if (!text.starts_with('{') || text.find('\0') != std::string_view::npos) {
    fail_data("{}: the header must start with '{{' and hold no zero bytes, got '{}'", where, shown_name(text.substr(0, 8)));
  }
  HeaderReader reader(where);
  nlohmann::json::sax_parse(text, &reader);
  SafetensorsHeader header = reader.take();
  header.data_begin = cursor.position();
  check_entries(header.entries, cursor.left(), where);
  return header;
}

}  // namespace actio::net
