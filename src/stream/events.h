// stream: what happened from when to when. In: decisions in the order of their windows. Out: events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "stream/segment_stream.h"

namespace actio::stream {

struct Event {
  double start = 0, end = 0;     // seconds from the first frame
  std::int64_t class_index = 0;
  std::string label;
  double score = 0;              // mean probability over its decisions
  double peak = 0, peak_time = 0;  // the largest one, and the middle of its window, seconds
};

struct EventRules {
  double enter = 0.5;     // a class begins where it is the most probable one and has this probability
  double leave = 0.375;   // and ends where its own is less, or where another one that is more probable begins
  double min_length = 0;  // seconds; what is shorter is no event
  double merge_gap = 0;   // seconds; two of one class that lie no farther apart are one, where nothing that is an event lies between them
};

// Windows overlap, so a decision speaks for the middle of its window: the border between two decisions lies half-way between their middles.
// The first one speaks for the beginning of its window, too, and the last one for the end. No class that reaches `enter` means no action: no
// event.
// Threads: one maker belongs to one thread at a time.
class EventMaker {
 public:
  // Throws: Error(kUsage) for probabilities that are not in 0..1, leave above enter, or a negative time.
  EventMaker(const EventRules& rules, std::vector<std::string> classes);

  // Returns: the events that nothing to come can change, in the order of their starts. Throws: Error for another number of classes.
  std::vector<Event> add(const Decision& decision);

  // The rest.
  std::vector<Event> finish();

 private:
  struct Run {
    std::size_t class_index = 0;
    double start = 0, end = 0;
    double sum = 0;  // of probabilities
    std::int64_t decisions = 0;
    double peak = 0, peak_time = 0;
  };

  bool goes_on(const Decision& decision, std::size_t best) const;
  bool is_long(const Run& run) const;
  void close(double end);
  std::vector<Event> settle(double earliest);  // what nothing that starts at `earliest` or later can change
  Event event_of(const Run& run) const;

  EventRules rules_;
  std::vector<std::string> classes_;
  std::optional<Run> open_;
  std::deque<Run> closed_;  // may still be merged
  bool begun_ = false;
  double last_middle_ = 0, last_end_ = 0;
};

}  // namespace actio::stream
