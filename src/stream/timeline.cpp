#include "stream/timeline.h"

#include <algorithm>
#include <cmath>

#include "core/cores.h"
#include "core/error.h"
#include "data/clip_facts.h"
#include "data/frame_times.h"
#include "stream/snippet_feed.h"

namespace actio::stream {
namespace {

constexpr double kUsualEnter = 0.5, kLeaveShare = 0.75;

video::Decoder open_video(const recognize::Recognizer& recognizer, const std::string& path, const std::stop_token& stop) {
  const InputSpec* vectors = recognizer.model().inputs.find(InputKind::kVectors);
  const data::ReadLimits& limits = recognizer.limits();
  return video::Decoder(path,
                        {.vectors = vectors != nullptr && vectors->vectors != VectorSource::kEstimated,
                         .vectors_optional = vectors != nullptr && vectors->vectors == VectorSource::kAny,
                         .max_pixels = limits.max_pixels,
                         .max_seconds = limits.max_seconds},
                        stop);
}

// One run over one video.
class TimelineRun {
 public:
  TimelineRun(const recognize::Recognizer& recognizer, const std::string& path, const TimelineOptions& options, const TimelineSink& sink, const Hooks& hooks)
      : recognizer_(recognizer),
        path_(path),
        sink_(sink),
        hooks_(hooks),
        events_(rules_of(options, recognizer), recognizer.model().classes),
        decoder_(open_video(recognizer, path, hooks.stop)),
        inputs_(decided_inputs(recognizer.model().inputs, decoder_.info())),
        feed_(inputs_, options.window / static_cast<double>(recognizer.model().spec.segments), frame_seconds(), static_cast<int>(core_count())),
        session_(recognizer.lend()),
        network_(*session_, [&](const TensorMap& values) { return recognizer.answer_in(values); }, options.step) {}

  TimelineFacts run() {
    const InputSpec* vectors = recognizer_.model().inputs.find(InputKind::kVectors);
    if (vectors != nullptr && vectors->vectors == VectorSource::kAny && !data::reads_vectors(inputs_)) {
      warn(fmt::format("{}: {}: estimated from the pictures", path_, video::no_vectors_fact(decoder_.info())));
    }
    read();
    feed_.finish();
    drain();
    facts_.frames = feed_.frames();
    facts_.seconds = feed_.seconds();
    if (facts_.decisions == 0) decide_at_once();
    give(events_.finish());
    warn_of_damage();
    return facts_;
  }

 private:
  double frame_seconds() const {
    const double rate = decoder_.info().frames_per_second;
    return rate > 0 ? 1 / rate : 0.04;
  }

  // 0: unknown.
  std::int64_t frames_claimed() const {
    const video::StreamInfo& info = decoder_.info();
    return info.frames_claimed > 0 ? info.frames_claimed : std::llround(info.duration_seconds * info.frames_per_second);
  }

  void warn(const std::string& line) const {
    if (hooks_.warn) hooks_.warn(line);
  }

  void read() {
    try {
      while (const std::optional<video::Frame> frame = decoder_.next()) {
        throw_if_stopped(hooks_.stop);
        moves_ = moves_ || !frame->vectors.empty();
        feed_.push(*frame);
        drain();
        if (hooks_.progress) hooks_.progress({"watching", feed_.frames(), frames_claimed(), path_});
      }
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted || facts_.decisions == 0) throw;
      warn(fmt::format("{}; what was found in the first {:.2f} s is kept", error.what(), feed_.seconds()));
    }
  }

  void drain() {
    while (const std::optional<Snippet> snippet = feed_.next()) {
      throw_if_stopped(hooks_.stop);
      if (const std::optional<Decision> decision = network_.add(*snippet)) take(*decision);
    }
  }

  void take(const Decision& decision) {
    ++facts_.decisions;
    if (sink_.decision) sink_.decision(decision);
    give(events_.add(decision));
  }

  // The last window may reach past the video's end by less than half a snippet's part.
  void give(const std::vector<Event>& events) {
    for (Event event : events) {
      ++facts_.events;
      if (facts_.frames > 0) event.end = std::min(event.end, std::max(event.start, facts_.seconds));
      if (sink_.event) sink_.event(event);
    }
  }

  void decide_at_once() {
    if (facts_.frames == 0) fail_data("{}: no frame could be decoded", path_);
    const recognize::Recognition whole = recognizer_.recognize(path_, hooks_.stop);
    warn(fmt::format("{}: lasts {:.2f} s, less than a window: one decision on all of it", path_, facts_.seconds));
    take({0, facts_.seconds, whole.sampled, whole.probabilities, whole.scores});
  }

  void warn_of_damage() const {
    data::ClipFacts clip = data::facts_of(decoder_, facts_.frames, facts_.seconds);
    clip.motionless = data::reads_vectors(inputs_) && !moves_;
    for (const std::string& line : data::warnings_of(path_, clip)) warn(line);
    if (feed_.odd_times() > 0) {
      warn(fmt::format("{}: the time stamps of {} frames make no sense; time went on there at the rate before", path_, feed_.odd_times()));
    }
  }

  const recognize::Recognizer& recognizer_;
  const std::string& path_;
  const TimelineSink& sink_;
  const Hooks& hooks_;
  EventMaker events_;
  video::Decoder decoder_;
  Inputs inputs_;
  SnippetFeed feed_;
  recognize::SessionPool::Loan session_;
  SegmentStream network_;
  TimelineFacts facts_;
  bool moves_ = false;
};

}  // namespace

Fields TimelineOptions::fields() {
  return {
      {"window", &window, "seconds that a decision looks at, cut into as many parts as the network has segments", {}, 0.001, 86400},
      {"step", &step, "snippets from one decision to the next; 1: a decision for each new snippet", {}, 1, 1'000'000},
      {"enter", &enter, "probability at which an event begins; 0: what few right answers of the model stay below where that is known, else 0.5", {}, 0, 1},
      {"leave", &leave, "probability of its class below which an event ends; 0: three quarters of enter", {}, 0, 1},
      {"min_length", &min_length, "seconds; what is shorter is no event", {}, 0, 86400},
      {"merge_gap", &merge_gap, "seconds; events of one class that lie no farther apart are one", {}, 0, 86400},
  };
}

EventRules rules_of(const TimelineOptions& options, const recognize::Recognizer& recognizer) {
  const double known = recognizer.reject_below();
  EventRules rules;
  rules.enter = options.enter > 0 ? options.enter : known > 0 ? known : kUsualEnter;
  rules.leave = options.leave > 0 ? options.leave : kLeaveShare * rules.enter;
  rules.min_length = options.min_length;
  rules.merge_gap = options.merge_gap;
  return rules;
}

TimelineFacts run_timeline(const recognize::Recognizer& recognizer, const std::string& video, const TimelineOptions& options, const TimelineSink& sink,
                           const Hooks& hooks) {
  return TimelineRun(recognizer, video, options, sink, hooks).run();
}

}  // namespace actio::stream
