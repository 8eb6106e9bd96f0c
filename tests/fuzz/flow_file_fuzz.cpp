// A flow file with right hashes, so that damage is found by what it breaks: its header, index and images.
#include <cstring>

#include "core/file.h"
#include "data/flow_file.h"
#include "fuzz/support.h"

namespace actio::data {
namespace {

constexpr std::size_t kFooter = 32, kEntry = 28;
constexpr std::int64_t kMostPixels = 1 << 20;

template <typename T>
T number_at(const std::string& file, std::size_t at) {
  T value;
  std::memcpy(&value, file.data() + at, sizeof(T));
  return value;
}

void set_hash(std::string& file, std::size_t at, std::string_view content) {
  const std::uint64_t hash = content_hash64(std::as_bytes(std::span(content)));
  std::memcpy(file.data() + at, &hash, sizeof(hash));
}

std::string with_right_hashes(std::string file) {
  if (file.size() < kFooter) return file;
  const std::size_t footer = file.size() - kFooter;
  const auto begin = number_at<std::uint64_t>(file, footer);
  const std::uint64_t header = number_at<std::uint32_t>(file, footer + 8), frames = number_at<std::uint32_t>(file, footer + 12);
  if (begin > footer || header + frames * kEntry != footer - begin) return file;
  for (std::size_t at = begin + header; at < footer; at += kEntry) {
    const auto offset = number_at<std::uint64_t>(file, at);
    const std::uint64_t bytes = number_at<std::uint32_t>(file, at + 16);
    if (offset <= begin && bytes <= begin - offset) set_hash(file, at + 8, std::string_view(file).substr(offset, bytes));
  }
  set_hash(file, footer + 16, file.substr(begin, footer - begin) + file.substr(footer, 16));
  return file;
}

void read(std::string_view content) {
  const FlowFile file(std::as_bytes(std::span(content)), "clip.flow");
  fuzz::require(file.frames() > 0 && file.header().facts.frames == file.frames(), "the frames are counted");
  file.header().parameters.dump();
  fuzz::takes([&] { file.verify(); });
  std::int64_t pixels = 0;
  for (std::int64_t i = 0; i < file.frames() && pixels < kMostPixels; ++i) {
    fuzz::takes([&] {
      const MotionImage field = file.field(i);
      fuzz::require(field.frame_width > 0 && field.frame_height > 0, "a field has a frame");
      pixels += field.image.numel();
    });
  }
}

}  // namespace
}  // namespace actio::data

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  const std::string file = data::with_right_hashes(std::string(fuzz::text_of(data, size)));
  fuzz::takes([&] { data::read(file); });
  return 0;
}
