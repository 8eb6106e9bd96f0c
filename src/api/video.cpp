#include <actio/video.h>

#include <algorithm>
#include <utility>

#include "api/video_impl.h"
#include "core/error.h"
#include "video/decoder.h"

namespace actio {
namespace {

VideoInfo info_of(const video::StreamInfo& info) {
  VideoInfo result;
  result.name = info.path;
  result.container = info.container;
  result.codec = info.codec;
  result.width = info.width;
  result.height = info.height;
  result.mirrored = info.orientation.mirrored;
  result.turned_degrees = info.orientation.degrees;
  result.pixel_aspect = info.pixel_aspect;
  result.frames_per_second = info.frames_per_second;
  result.duration_seconds = info.duration_seconds;
  result.frames_claimed = info.frames_claimed;
  result.carries_vectors = info.carries_vectors;
  return result;
}

Frame::Type type_of(video::FrameType type) {
  switch (type) {
    case video::FrameType::kI: return Frame::Type::kI;
    case video::FrameType::kP: return Frame::Type::kP;
    case video::FrameType::kB: return Frame::Type::kB;
    case video::FrameType::kOther: break;
  }
  return Frame::Type::kOther;
}

}  // namespace

VideoSource::VideoSource(const std::filesystem::path& path) : impl_(std::make_shared<Impl>(video::Source(path))) {}
VideoSource::VideoSource(const std::string& path) : impl_(std::make_shared<Impl>(video::Source(path))) {}
VideoSource::VideoSource(const char* path) : impl_(std::make_shared<Impl>(video::Source(path))) {}

VideoSource VideoSource::file(const std::filesystem::path& path) { return VideoSource(path); }

VideoSource VideoSource::memory(std::shared_ptr<const std::byte[]> bytes, std::size_t size, const std::string& name) {
  if (bytes == nullptr && size > 0) fail_usage("{}: no memory for {} bytes", name, size);
  return VideoSource(std::make_shared<Impl>(video::Source::memory(std::move(bytes), size, name)));
}

VideoSource VideoSource::memory(std::span<const std::byte> bytes, const std::string& name) {
  const std::shared_ptr<std::byte[]> copy(new std::byte[bytes.size()]);
  std::ranges::copy(bytes, copy.get());
  return memory(copy, bytes.size(), name);
}

VideoSource VideoSource::callback(ReadFn read, SeekFn seek, const std::string& name, std::int64_t size) {
  return VideoSource(std::make_shared<Impl>(video::Source::callback(std::move(read), std::move(seek), name, size)));
}

const std::string& VideoSource::name() const { return impl_->source.name(); }

struct Frame::Impl {
  video::Frame frame;
};

Tensor Frame::rgb() const {
  if (impl_ == nullptr) fail_usage("a frame that no Video gave has no picture");
  return impl_->frame.rgb();
}

Tensor Frame::grey() const {
  if (impl_ == nullptr) fail_usage("a frame that no Video gave has no picture");
  return impl_->frame.grey();
}

struct Video::Impl {
  video::Decoder decoder;
  VideoInfo info;
};

Video::Video(const VideoSource& source, const VideoOptions& options, const std::stop_token& stop) {
  const video::DecoderOptions own = {options.vectors, options.vectors_optional, options.threads, options.max_pixels,
                                     options.max_seconds};
  impl_ = std::make_unique<Impl>(video::Decoder(source.impl_->source, own, stop));
  impl_->info = info_of(impl_->decoder.info());
}

Video::~Video() = default;
Video::Video(Video&&) noexcept = default;
Video& Video::operator=(Video&&) noexcept = default;

const VideoInfo& Video::info() const { return impl_->info; }

VideoCounters Video::counters() const {
  const video::DecodeCounters& counters = impl_->decoder.counters();
  return {counters.frames, counters.damaged, counters.seeks};
}

std::optional<Frame> Video::next() {
  std::optional<video::Frame> next = impl_->decoder.next();
  if (!next) return std::nullopt;
  Frame frame;
  frame.index = next->index;
  frame.pts = next->pts;
  frame.time_seconds = next->time_seconds;
  frame.type = type_of(next->type);
  frame.key = next->key;
  frame.damaged = next->damaged;
  frame.width = next->width;
  frame.height = next->height;
  for (const video::BlockVector& v : std::exchange(next->vectors, {})) {
    frame.vectors.push_back({v.x, v.y, v.width, v.height, v.dx, v.dy, v.direction});
  }
  frame.impl_ = std::make_shared<Frame::Impl>(std::move(*next));
  return frame;
}

void Video::select(const std::vector<std::int64_t>& frames) { impl_->decoder.select({frames, false}); }

}  // namespace actio
