#include "recognize/kept_source.h"

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "core/error.h"

namespace actio::recognize {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr std::size_t kAtOnce = std::size_t{1} << 18;

}  // namespace

bool can_be_read_again(const video::Source& source) {
  const auto* functions = std::get_if<video::Source::Functions>(&source.from());
  return functions == nullptr || functions->seek;
}

video::Source kept_in_memory(const video::Source& source, const std::stop_token& stop) {
  const auto* functions = std::get_if<video::Source::Functions>(&source.from());
  if (functions == nullptr) return source;
  if (!functions->read) fail_usage("{}: a source without a function that reads", source.name());
  if (functions->seek && !functions->seek(0)) fail("{}: its source does not seek to its start", source.name());
  auto bytes = std::make_shared<std::vector<std::byte>>();
  for (std::size_t size = 0, got = 1; got > 0; size += got) {
    bytes->resize(size + kAtOnce);
    got = functions->read(std::span(*bytes).subspan(size), stop);
    if (stop.stop_requested()) fail(ErrorCode::kInterrupted, "{}: reading was stopped", source.name());
    if (got > kAtOnce) fail_usage("{}: its source gave {} bytes where {} were asked for", source.name(), got, kAtOnce);
    bytes->resize(size + got);
    if (bytes->size() > kMostBytes) fail("{}: its source does not seek: at most {} bytes are kept, it has more", source.name(), kMostBytes);
  }
  return video::Source::memory(std::shared_ptr<const std::byte[]>(bytes, bytes->data()), bytes->size(), source.name());
}

}  // namespace actio::recognize
