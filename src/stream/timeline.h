// stream: a video file from its beginning to its end. In: a model and a video. Out: decisions and events as they are found.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/hooks.h"
#include "core/options.h"
#include "recognize/recognizer.h"
#include "stream/events.h"

namespace actio::stream {

struct TimelineOptions {
  static constexpr std::string_view kTable = "timeline";

  double window = 2;      // seconds
  std::int64_t step = 1;  // snippets
  double enter = 0, leave = 0;
  double min_length = 0, merge_gap = 0.5;  // seconds

  Fields fields();
};

// What was left open follows from the model. Throws: Error(kUsage) for what makes no sense together.
EventRules rules_of(const TimelineOptions& options, const recognize::Recognizer& recognizer);

// Functions of the caller, called as things are found; each may be empty.
struct TimelineSink {
  std::function<void(const Event&)> event;
  std::function<void(const Decision&)> decision;
};

struct TimelineFacts {
  std::int64_t frames = 0, decisions = 0, events = 0;
  double seconds = 0;  // that were read
};

// A video that is too short for a window gets one decision, on what recognition samples of it. One that cannot be read to its end keeps what
// was found before, with a warning; so does one that breaks off. Warnings are one line each, the file's name first.
// Throws: Error(kUsage) for options; Error(kInterrupted) on hooks.stop; as video::Decoder and Recognizer::recognize where nothing was found.
TimelineFacts run_timeline(const recognize::Recognizer& recognizer, const std::string& video, const TimelineOptions& options, const TimelineSink& sink,
                           const Hooks& hooks = {});

}  // namespace actio::stream
