#include "recognize/recognize_all.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/time_limit.h"
#include "recognize/kept_source.h"
#include "recognize/parts.h"

namespace actio::recognize {
namespace {

using Clock = std::chrono::steady_clock;

// A video whose parts are read at the same time: what functions give is kept in memory by whoever comes first.
class SharedSource {
 public:
  SharedSource(const video::Source& source, double seconds, const std::stop_token& stop) : source_(source), limit_(seconds, stop) {}

  data::ClipInput read(const Recognizer& recognizer, std::size_t part) {
    return limit_.run(source_.name(), [&](const std::stop_token& token) {
      return recognizer.read(get(recognizer.parts() > 1, token), part, token);
    });
  }

 private:
  const video::Source& get(bool of_several_parts, const std::stop_token& stop) {
    const bool functions = std::holds_alternative<video::Source::Functions>(source_.from());
    if (!functions || (!of_several_parts && can_be_read_again(source_))) return source_;
    std::call_once(once_, [&] { kept_ = kept_in_memory(source_, stop); });
    return *kept_;
  }

  const video::Source& source_;
  TimeLimit limit_;
  std::optional<video::Source> kept_;
  std::once_flag once_;
};

// The parts of the videos in order.
class ReadAhead {
 public:
  ReadAhead(const Recognizer& recognizer, std::span<const video::Source> videos, std::int64_t workers, std::stop_token stop)
      : recognizer_(recognizer),
        videos_(videos),
        stop_(std::move(stop)),
        depth_(std::min(recognizer.parts_at_once(), static_cast<std::size_t>(std::max<std::int64_t>(workers, 1)))) {}

  struct Part {
    data::ClipInput clip;
    double seconds = 0;
  };

  Part next() {
    while (started_ < videos_.size() * recognizer_.parts() && ahead_.size() < depth_) {
      const std::size_t part = started_ % recognizer_.parts();
      if (part == 0) {
        const video::Source& video = videos_[started_ / recognizer_.parts()];
        source_ = std::make_shared<SharedSource>(video, recognizer_.limits().max_seconds, stop_);
      }
      ahead_.push_back(std::async(std::launch::async, [this, source = source_, part] {
        const Clock::time_point start = Clock::now();
        data::ClipInput clip = source->read(recognizer_, part);
        return Part{std::move(clip), std::chrono::duration<double>(Clock::now() - start).count()};
      }));
      ++started_;
    }
    std::future<Part> first = std::move(ahead_.front());
    ahead_.pop_front();
    return first.get();
  }

 private:
  const Recognizer& recognizer_;
  std::span<const video::Source> videos_;
  std::stop_token stop_;
  std::size_t depth_;
  std::size_t started_ = 0;               // parts of videos
  std::shared_ptr<SharedSource> source_;  // of the part started last
  std::deque<std::future<Part>> ahead_;
};

// All parts of one video are taken, also behind one that failed.
Answer answer_to_next(const Recognizer& recognizer, ReadAhead& ahead, const std::stop_token& stop) {
  PartsMean mean(recognizer);
  std::optional<Error> failure;
  for (std::size_t part = 0; part < recognizer.parts(); ++part) {
    try {
      ReadAhead::Part next = ahead.next();
      if (!failure) mean.add(std::move(next.clip), next.seconds, stop);
    } catch (const Error& error) {
      // What was asked for makes no sense; that is no video's fault, and the next one would fail alike.
      if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kUsage) throw;
      if (!failure) failure = error;
    }
  }
  if (failure) return *failure;
  return mean.recognition();
}

}  // namespace

void recognize_all(const Recognizer& recognizer, std::span<const video::Source> videos,
                   const std::function<void(std::size_t, Answer)>& answer, std::int64_t workers, const Hooks& hooks) {
  ReadAhead ahead(recognizer, videos, workers, hooks.stop);
  for (std::size_t i = 0; i < videos.size(); ++i) {
    throw_if_stopped(hooks.stop);
    answer(i, answer_to_next(recognizer, ahead, hooks.stop));
    if (hooks.progress) hooks.progress({"recognising", static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(videos.size()), ""});
  }
}
void recognize_all(const Recognizer& recognizer, std::span<const std::string> paths,
                   const std::function<void(std::size_t, Answer)>& answer, std::int64_t workers, const Hooks& hooks) {
  const std::vector<video::Source> videos(paths.begin(), paths.end());
  recognize_all(recognizer, videos, answer, workers, hooks);
}

}  // namespace actio::recognize
