#include "eval/score_array.h"

#include <bit>
#include <charconv>
#include <cstring>

#include "core/error.h"
#include "data/list_file.h"

namespace actio::eval {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are copied as they lie");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostHeader = 1 << 16;
constexpr std::size_t kAlignment = 64;

// The header is a Python dictionary of three known keys; anything else is refused.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  void read() {
    expect('{');
    while (!take('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr")
        descr_ = quoted();
      else if (key == "fortran_order")
        fortran_ = word();
      else if (key == "shape")
        shape();
      else
        fail_data("{}: the header has an unknown key '{}'", source_, data::shown(key));
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (at_ != text_.size()) bad();
  }

  std::string descr_, fortran_;
  std::vector<std::uint64_t> shape_;

 private:
  [[noreturn]] void bad() const {
    fail_data("{}: the header is not NumPy's: '{}'", source_,
              data::shown(text_.substr(0, std::min<std::size_t>(text_.size(), 120))));
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) bad();
  }
  std::string quoted() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') bad();
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) bad();
    const std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  std::string word() {
    skip_blanks();
    const std::size_t end = std::min(text_.find_first_of(",} \n", at_), text_.size());
    const std::string value(text_.substr(at_, end - at_));
    at_ = end;
    return value;
  }
  void shape() {
    expect('(');
    while (!take(')')) {
      skip_blanks();
      std::uint64_t size = 0;
      const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (code != std::errc()) bad();
      at_ = static_cast<std::size_t>(end - text_.data());
      shape_.push_back(size);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
};

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Where the data begins; `header` is what stands before it.
std::size_t split_header(std::string_view bytes, const std::string& source, std::string_view& header) {
  if (!bytes.starts_with(kMagic)) fail_data("{}: does not begin as a NumPy file does", source);
  if (bytes.size() < 12) fail_data("{}: ends after {} bytes, in its header", source, bytes.size());
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) fail_data("{}: is of NumPy's format version {}, known are 1 to 3", source, version);
  const std::size_t begin = version == 1 ? 10 : 12;
  const std::size_t length = little_endian(bytes.substr(8, begin - 8));
  if (length > kMostHeader) fail_data("{}: its header claims {} bytes, at most {} are read", source, length, kMostHeader);
  if (length > bytes.size() - begin)
    fail_data("{}: its header claims {} bytes, {} are left", source, length, bytes.size() - begin);
  header = bytes.substr(begin, length);
  return begin + length;
}

}  // namespace

Tensor parse_npy(std::string_view bytes, const std::string& source) {
  std::string_view text;
  const std::string_view content = bytes.substr(split_header(bytes, source, text));
  HeaderReader header(text, source);
  header.read();
  if (header.descr_ != "<f4" && header.descr_ != "<f8") {
    fail_data("{}: expected elements '<f4' or '<f8', got '{}'", source, data::shown(header.descr_));
  }
  if (header.fortran_ != "False") {
    fail_data("{}: expected fortran_order False, got '{}'; save numpy.ascontiguousarray(scores)", source,
              data::shown(header.fortran_));
  }
  const auto& shape = header.shape_;
  if (shape.size() != 2) fail_data("{}: expected scores [clips, classes], got [{}]", source, fmt::join(shape, ", "));
  const std::uint64_t size = header.descr_ == "<f4" ? sizeof(float) : sizeof(double);
  std::uint64_t count = 0, wanted = 0;
  if (__builtin_mul_overflow(shape[0], shape[1], &count) || __builtin_mul_overflow(count, size, &wanted) ||
      wanted != content.size()) {
    fail_data("{}: [{}] elements of {} bytes do not fit the {} bytes behind the header", source, fmt::join(shape, ", "),
              size, content.size());
  }
  if (count == 0) fail_data("{}: [{}] holds no score", source, fmt::join(shape, ", "));
  Tensor scores({static_cast<std::int64_t>(shape[0]), static_cast<std::int64_t>(shape[1])});
  if (size == sizeof(float)) {
    std::memcpy(scores.raw(), content.data(), content.size());
    return scores;
  }
  float* out = scores.data<float>();
  for (std::uint64_t i = 0; i < count; ++i) {
    double value = 0;
    std::memcpy(&value, content.data() + i * sizeof(double), sizeof(double));
    out[i] = static_cast<float>(value);
  }
  return scores;
}

std::string npy_bytes(const Tensor& scores) {
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", scores.dim(0), scores.dim(1));
  constexpr std::size_t kBefore = 10;
  header.append(kAlignment - (kBefore + header.size() + 1) % kAlignment, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  return bytes + header + raw_bytes(scores);
}

Tensor parse_raw(std::string_view bytes, std::int64_t rows, const std::string& source) {
  const auto row_bytes = rows < 1 ? 0 : static_cast<std::uint64_t>(rows) * sizeof(float);
  if (row_bytes == 0 || bytes.empty() || bytes.size() % row_bytes != 0) {
    fail_data("{}: {} bytes are no whole number of columns of {} rows, 4 bytes a score", source, bytes.size(), rows);
  }
  Tensor scores({rows, static_cast<std::int64_t>(bytes.size() / row_bytes)});
  std::memcpy(scores.raw(), bytes.data(), bytes.size());
  return scores;
}

std::string raw_bytes(const Tensor& scores) { return {reinterpret_cast<const char*>(scores.raw()), scores.bytes()}; }

ScoreIndex read_score_index(const std::string& path) {
  ScoreIndex index;
  for (const data::ListLine& line : data::read_list_file(path).lines) {
    const auto [clip, word] = data::split_last_word(line.text);
    std::int64_t label = 0;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), label);
    if (word.empty() || code != std::errc() || end != word.data() + word.size() || label < -1) {
      fail_data("{} line {}: expected 'PATH LABEL' with the index of a class or -1, got '{}'", path, line.number,
                data::shown(line.text));
    }
    index.paths.push_back(clip);
    index.labels.push_back(label);
  }
  return index;
}

std::string score_index_text(const ScoreIndex& index, const std::string& path) {
  std::string text;
  for (std::size_t i = 0; i < index.paths.size(); ++i) {
    const std::string& clip = index.paths[i];
    const bool plain = !clip.empty() && clip.find_first_of("\r\n") == std::string::npos && clip.front() != ' ' &&
                       clip.front() != '\t' && clip.back() != ' ' && clip.back() != '\t';
    if (!plain) fail_usage("{}: the path '{}' cannot stand in a list; write .csv instead", path, data::shown(clip));
    text += fmt::format("{} {}\n", clip, index.labels[i]);
  }
  return text;
}

}  // namespace actio::eval
