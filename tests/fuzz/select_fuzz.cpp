// A video file decoded whole and in part: the frames that were asked for are the same. What is damaged may differ, for nothing
// but decoding finds that out. The file's last two bytes choose the frames, its size whether with vectors.
#include <algorithm>
#include <cstring>

#include "fuzz/support.h"
#include "video/decoder.h"

namespace actio::video {
namespace {

constexpr std::int64_t kMostFrames = 24;
constexpr std::int64_t kMostPixels = 1 << 18;

bool same(const BlockVector& a, const BlockVector& b) {
  return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height && a.dx == b.dx && a.dy == b.dy &&
         a.direction == b.direction;
}

bool same_pixels(const Frame& a, const Frame& b) {
  bool same = true;
  fuzz::takes([&] {
    const Tensor left = a.rgb(), right = b.rgb();
    same = left.shape() == right.shape() && std::memcmp(left.raw(), right.raw(), left.bytes()) == 0;
  });
  return same;
}

void compare(const Frame& whole, const Frame& part) {
  fuzz::require(whole.pts == part.pts && whole.time_seconds == part.time_seconds, "a selected frame has its time");
  fuzz::require(whole.type == part.type && whole.key == part.key, "a selected frame has its type");
  fuzz::require(whole.damaged == part.damaged, "a selected frame is damaged where it is damaged");
  fuzz::require(whole.width == part.width && whole.height == part.height, "a selected frame has its size");
  fuzz::require(std::ranges::equal(whole.vectors, part.vectors, same), "a selected frame has its vectors");
  fuzz::require(same_pixels(whole, part), "a selected frame has its pixels");
}

// Empty where the file is damaged, or larger than what is worth comparing.
std::vector<Frame> decode(const std::string& path, const DecoderOptions& options) {
  Decoder decoder(path, options);
  std::vector<Frame> frames;
  while (auto frame = decoder.next()) {
    const bool large = std::int64_t{frame->width} * frame->height > kMostPixels;
    if (large || frame->index >= kMostFrames) return {};
    frames.push_back(std::move(*frame));
  }
  const bool damaged = decoder.counters().damaged > 0 || decoder.counters().errors > 0;
  return damaged ? std::vector<Frame>() : frames;
}

// FFmpeg does not always say where a picture could not be read; there it holds what its memory held before, which is another
// picture where frames are given back and none where they are kept.
bool is_whole(const std::string& path, const DecoderOptions& options, const std::vector<Frame>& kept) {
  Decoder decoder(path, options);
  for (const Frame& before : kept) {
    const auto frame = decoder.next();
    if (!frame || !same_pixels(before, *frame)) return false;
  }
  return true;
}

void compare_selection(const std::string& path, const DecoderOptions& options, unsigned choice) {
  std::vector<Frame> whole = decode(path, options);
  if (!is_whole(path, options, whole)) whole.clear();
  Decoder decoder(path, options);
  Selection selection;
  for (std::int64_t i = 0; i < kMostFrames; ++i) {
    if ((choice >> (i % 15) & 1U) != 0) selection.frames.push_back(i);
  }
  selection.carry = options.vectors && choice >> 15 != 0;
  const auto count = decoder.exact_frames();
  const auto frames = static_cast<std::int64_t>(whole.size());
  if (frames > 0 && count) fuzz::require(*count == frames, "the frames are counted right");
  decoder.select(selection);
  std::vector<std::int64_t> seen;
  while (const auto frame = decoder.next()) {
    fuzz::require(seen.empty() || frame->index > seen.back(), "selected frames come in order");
    seen.push_back(frame->index);
    if (seen.size() > kMostFrames) return;
    if (frames == 0) continue;
    fuzz::require(frame->index >= 0 && frame->index < frames, "a selected frame exists");
    compare(whole[static_cast<std::size_t>(frame->index)], *frame);
  }
  if (frames == 0) return;
  for (const std::int64_t wanted : selection.frames) {
    fuzz::require(std::ranges::count(seen, wanted) == (wanted < frames ? 1 : 0), "each selected frame comes once");
  }
}

}  // namespace
}  // namespace actio::video

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  if (size < 2) return 0;
  static fuzz::MemoryFile file;
  file.write(fuzz::text_of(data, size));
  fuzz::takes([&] {
    video::DecoderOptions options;
    options.vectors = size % 2 == 0 && video::Decoder(file.path()).info().carries_vectors;
    video::compare_selection(file.path(), options, data[size - 1] * 256U + data[size - 2]);
  });
  return 0;
}
