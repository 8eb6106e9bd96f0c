// stream: events and decisions for the eye, for programs and for players. In: what a timeline finds. Out: text, piece by piece.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "stream/events.h"
#include "stream/timeline.h"

namespace actio::stream {

// A table, a JSON object a line, CSV (RFC 4180), WebVTT: subtitles of one video.
enum class TimelineFormat { kTable, kJson, kCsv, kVtt };

// Every piece ends with its line.
class TimelineText {
 public:
  // `decisions`: these are written, one of each window, in the place of events.
  TimelineText(TimelineFormat format, bool decisions, std::vector<std::string> classes);

  std::string head() const;                                         // before the first video
  std::string video(const std::string& path) const;                 // before what is found in it
  std::string event(const std::string& path, const Event& event) const;
  std::string decision(const std::string& path, const Decision& decision) const;
  std::string end(const TimelineFacts& facts) const;                // of a video

 private:
  TimelineFormat format_;
  bool decisions_;
  std::vector<std::string> classes_;
};

struct TimelineOutput {
  TimelineFormat format = TimelineFormat::kTable;
  bool decisions = false;
  std::function<void(const std::string&)> write;  // whole lines, as soon as they are known
  std::function<void(const Error&)> failed;       // why a video cannot be read, which does not stop the others
};

// Of many videos, one after the other. Throws: Error(kUsage) for options and for subtitles of more than one video; Error(kInterrupted) on hooks.stop.
void write_timelines(const recognize::Recognizer& recognizer, std::span<const std::string> videos, const TimelineOptions& options, const TimelineOutput& output,
                     const Hooks& hooks = {});

}  // namespace actio::stream
