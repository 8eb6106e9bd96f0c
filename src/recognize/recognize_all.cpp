#include "recognize/recognize_all.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <semaphore>
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

// The parts of one video in order, read ahead by threads where there may be several at once.
class PartsAhead {
 public:
  PartsAhead(const Recognizer& recognizer, const video::Source& video, std::size_t at_once, const std::stop_token& stop)
      : recognizer_(recognizer), source_(video, recognizer.limits().max_seconds, stop), at_once_(at_once) {}

  struct Part {
    data::ClipInput clip;
    double seconds = 0;
  };

  Part next() {
    if (at_once_ == 1) return read(started_++);
    while (started_ < recognizer_.parts() && ahead_.size() < at_once_) {
      ahead_.push_back(std::async(std::launch::async, [this, part = started_++] { return read(part); }));
    }
    std::future<Part> first = std::move(ahead_.front());
    ahead_.pop_front();
    return first.get();
  }

 private:
  Part read(std::size_t part) {
    const Clock::time_point start = Clock::now();
    data::ClipInput clip = source_.read(recognizer_, part);
    return {std::move(clip), std::chrono::duration<double>(Clock::now() - start).count()};
  }

  const Recognizer& recognizer_;
  SharedSource source_;
  std::size_t at_once_;
  std::size_t started_ = 0;
  std::deque<std::future<Part>> ahead_;  // last: its threads use the others
};

// As many networks run at a time as have cores of their own.
using Gate = std::counting_semaphore<>;

struct Pass {
  explicit Pass(Gate& taken) : gate(taken) { gate.acquire(); }
  ~Pass() { gate.release(); }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;
  Gate& gate;
};

Answer answer_to(const Recognizer& recognizer, const video::Source& video, std::size_t parts_at_once, Gate& gate, const std::stop_token& stop) {
  try {
    PartsAhead ahead(recognizer, video, parts_at_once, stop);
    PartsMean mean(recognizer);
    for (std::size_t part = 0; part < recognizer.parts(); ++part) {
      PartsAhead::Part next = ahead.next();
      const Pass pass(gate);
      mean.add(std::move(next.clip), next.seconds, stop);
    }
    return mean.recognition();
  } catch (const Error& error) {
    // What was asked for makes no sense; that is no video's fault, and the next one would fail alike.
    if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kUsage) throw;
    return error;
  }
}

}  // namespace

void recognize_all(const Recognizer& recognizer, std::span<const video::Source> videos,
                   const std::function<void(std::size_t, Answer)>& answer, std::int64_t workers, const Hooks& hooks) {
  const std::int64_t networks = recognizer.at_once();
  const std::size_t parts = std::min(recognizer.parts_at_once(), static_cast<std::size_t>(std::max<std::int64_t>(workers, 1) + networks));
  const std::size_t at_once = std::clamp<std::size_t>(videos.size(), 1, parts);
  Gate gate(networks);
  std::deque<std::future<Answer>> ahead;  // after what its threads use
  std::size_t started = 0;
  for (std::size_t i = 0; i < videos.size(); ++i) {
    throw_if_stopped(hooks.stop);
    for (; started < videos.size() && ahead.size() < at_once; ++started) {
      ahead.push_back(std::async(std::launch::async, [&, started] { return answer_to(recognizer, videos[started], parts / at_once, gate, hooks.stop); }));
    }
    std::future<Answer> first = std::move(ahead.front());
    ahead.pop_front();
    answer(i, first.get());
    if (hooks.progress) hooks.progress({"recognising", static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(videos.size()), ""});
  }
}

void recognize_all(const Recognizer& recognizer, std::span<const std::string> paths,
                   const std::function<void(std::size_t, Answer)>& answer, std::int64_t workers, const Hooks& hooks) {
  const std::vector<video::Source> videos(paths.begin(), paths.end());
  recognize_all(recognizer, videos, answer, workers, hooks);
}

}  // namespace actio::recognize
