#include "stream/events.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"

namespace actio::stream {
namespace {

constexpr double kSameTime = 1e-9;  // seconds: sums of times are not exact

void check_probability(const char* name, double value) {
  if (!(value >= 0 && value <= 1)) fail_usage("events: {} must be a probability between 0 and 1, got {}", name, value);
}

}  // namespace

EventMaker::EventMaker(const EventRules& rules, std::vector<std::string> classes) : rules_(rules), classes_(std::move(classes)) {
  check_probability("enter", rules.enter);
  check_probability("leave", rules.leave);
  if (rules.leave > rules.enter) fail_usage("events: leave must not be above enter, got {} and {}", rules.leave, rules.enter);
  if (!(rules.min_length >= 0 && rules.merge_gap >= 0)) {
    fail_usage("events: times must be 0 or more, got a length of {} s and a gap of {} s", rules.min_length, rules.merge_gap);
  }
}

bool EventMaker::goes_on(const Decision& decision, std::size_t best) const {
  const auto probability = decision.probabilities.values<float>();
  const double own = probability[open_->class_index], highest = probability[best];
  return own >= rules_.leave && !(highest > own && highest >= rules_.enter);
}

std::vector<Event> EventMaker::add(const Decision& decision) {
  const auto probability = decision.probabilities.values<float>();
  if (probability.size() != classes_.size()) fail("events: the decision is of {} classes, not of {}", probability.size(), classes_.size());
  const auto best = static_cast<std::size_t>(std::ranges::max_element(probability) - probability.begin());
  const double middle = decision.middle(), border = begun_ ? (last_middle_ + middle) / 2 : decision.begin;
  begun_ = true;
  last_middle_ = middle;
  last_end_ = decision.end;
  if (open_ && !goes_on(decision, best)) close(border);
  if (!open_ && probability[best] >= rules_.enter) {
    open_.emplace();
    open_->class_index = best;
    open_->start = border;
  }
  if (!open_) return settle(border);
  const double own = probability[open_->class_index];
  open_->sum += own;
  ++open_->decisions;
  if (own > open_->peak) {
    open_->peak = own;
    open_->peak_time = middle;
  }
  return settle(open_->start);
}

std::vector<Event> EventMaker::finish() {
  if (open_) close(last_end_);
  begun_ = false;
  return settle(std::numeric_limits<double>::infinity());
}

bool EventMaker::is_long(const Run& run) const { return run.end - run.start >= rules_.min_length - kSameTime; }

void EventMaker::close(double end) {
  Run run = *std::exchange(open_, std::nullopt);
  run.end = end;
  for (auto before = closed_.rbegin(); before != closed_.rend(); ++before) {
    if (before->class_index == run.class_index) {
      if (run.start - before->end > rules_.merge_gap + kSameTime) break;
      run.start = before->start;
      run.sum += before->sum;
      run.decisions += before->decisions;
      if (before->peak >= run.peak) {
        run.peak = before->peak;
        run.peak_time = before->peak_time;
      }
      closed_.erase(std::prev(before.base()), closed_.end());
      break;
    }
    if (is_long(*before)) break;
  }
  closed_.push_back(run);
}

std::vector<Event> EventMaker::settle(double earliest) {
  std::vector<Event> events;
  while (!closed_.empty() && earliest - closed_.front().end > rules_.merge_gap + kSameTime) {
    if (is_long(closed_.front())) events.push_back(event_of(closed_.front()));
    closed_.pop_front();
  }
  return events;
}

Event EventMaker::event_of(const Run& run) const {
  return {run.start,  run.end, static_cast<std::int64_t>(run.class_index), classes_[run.class_index], run.sum / static_cast<double>(run.decisions),
          run.peak, run.peak_time};
}

}  // namespace actio::stream
