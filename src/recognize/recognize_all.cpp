#include "recognize/recognize_all.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <optional>
#include <utility>

#include "recognize/parts.h"

namespace actio::recognize {
namespace {

using Clock = std::chrono::steady_clock;

// The parts of the videos in order.
class ReadAhead {
 public:
  ReadAhead(const Recognizer& recognizer, std::span<const std::string> videos, std::int64_t workers, std::stop_token stop)
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
      const std::string& video = videos_[started_ / recognizer_.parts()];
      const std::size_t part = started_ % recognizer_.parts();
      ahead_.push_back(std::async(std::launch::async, [this, &video, part] {
        const Clock::time_point start = Clock::now();
        data::ClipInput clip = recognizer_.read(video, part, stop_);
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
  std::span<const std::string> videos_;
  std::stop_token stop_;
  std::size_t depth_;
  std::size_t started_ = 0;  // parts of videos
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

void recognize_all(const Recognizer& recognizer, std::span<const std::string> videos,
                   const std::function<void(std::size_t, Answer)>& answer, std::int64_t workers, const Hooks& hooks) {
  ReadAhead ahead(recognizer, videos, workers, hooks.stop);
  for (std::size_t i = 0; i < videos.size(); ++i) {
    throw_if_stopped(hooks.stop);
    answer(i, answer_to_next(recognizer, ahead, hooks.stop));
    if (hooks.progress) hooks.progress({"recognising", static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(videos.size()), ""});
  }
}

}  // namespace actio::recognize
