#include "stream/timeline_text.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/json.h"
#include "core/json_text.h"
#include "data/csv.h"

namespace actio::stream {
namespace {

// What is written of an event or a decision alike.
struct Row {
  double begin, end;
  std::string label;
  double score;
};

std::string table_row(const Row& row) { return fmt::format("  {:10.2f} {:10.2f}  {:5.1f} %  {}\n", row.begin, row.end, 100 * row.score, row.label); }

// HH:MM:SS.mmm
std::string vtt_time(double seconds) {
  const auto all = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds) * 1000));
  return fmt::format("{:02}:{:02}:{:02}.{:03}", all / 3'600'000, all / 60'000 % 60, all / 1000 % 60, all % 1000);
}

std::string vtt_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') escaped += "&amp;";
    else if (c == '<') escaped += "&lt;";
    else if (c == '>') escaped += "&gt;";
    else escaped += c == '\n' || c == '\r' ? ' ' : c;
  }
  return escaped;
}

std::string vtt_cue(const Row& row) {
  return fmt::format("{} --> {}\n{} ({:.0f} %)\n\n", vtt_time(row.begin), vtt_time(row.end), vtt_text(row.label), 100 * row.score);
}

// Whole milliseconds and four digits of a probability: what follows is noise.
double rounded(double value, double steps) { return std::round(value * steps) / steps; }
double time_of(double seconds) { return rounded(seconds, 1e3); }
double share_of(double probability) { return rounded(probability, 1e4); }

std::string csv_row(const std::string& path, const Row& row) {
  return fmt::format("{},{:.3f},{:.3f},{},{:.4f}", data::csv_field(path), row.begin, row.end, data::csv_field(row.label), row.score);
}

}  // namespace

TimelineText::TimelineText(TimelineFormat format, bool decisions, std::vector<std::string> classes)
    : format_(format), decisions_(decisions), classes_(std::move(classes)) {}

std::string TimelineText::head() const {
  if (format_ == TimelineFormat::kVtt) return "WEBVTT\n\n";
  if (format_ == TimelineFormat::kCsv) return decisions_ ? "video,begin,end,label,probability\n" : "video,start,end,label,score,peak,peak_time\n";
  return {};
}

std::string TimelineText::video(const std::string& path) const {
  if (format_ != TimelineFormat::kTable) return {};
  return fmt::format("{}\n  {:>10} {:>10}  {:>7}  label\n", path, decisions_ ? "begin" : "start", "end", "score");
}

std::string TimelineText::event(const std::string& path, const Event& event) const {
  const Row row{event.start, event.end, event.label, event.score};
  switch (format_) {
    case TimelineFormat::kTable: return table_row(row);
    case TimelineFormat::kVtt: return vtt_cue(row);
    case TimelineFormat::kCsv: return fmt::format("{},{:.4f},{:.3f}\n", csv_row(path, row), event.peak, event.peak_time);
    case TimelineFormat::kJson: break;
  }
  return json_text({{"video", path}, {"start", time_of(event.start)}, {"end", time_of(event.end)}, {"label", event.label}, {"class", event.class_index},
                    {"score", share_of(event.score)}, {"peak", share_of(event.peak)}, {"peak_time", time_of(event.peak_time)}}) + "\n";
}

std::string TimelineText::decision(const std::string& path, const Decision& decision) const {
  const auto probability = decision.probabilities.values<float>();
  const auto best = std::ranges::max_element(probability);
  const auto index = best - probability.begin();
  const Row row{decision.begin, decision.end, classes_.at(static_cast<std::size_t>(index)), *best};
  switch (format_) {
    case TimelineFormat::kTable: return table_row(row);
    case TimelineFormat::kVtt: return vtt_cue(row);
    case TimelineFormat::kCsv: return csv_row(path, row) + "\n";
    case TimelineFormat::kJson: break;
  }
  Json json = {{"video", path}, {"begin", time_of(row.begin)}, {"end", time_of(row.end)}, {"label", row.label}, {"class", index},
               {"sampled_frames", decision.frames}, {"probabilities", Json::array()}};
  for (const float each : probability) json["probabilities"].push_back(share_of(each));
  return json_text(json) + "\n";
}

std::string TimelineText::end(const TimelineFacts& facts) const {
  if (format_ != TimelineFormat::kTable) return {};
  const auto counted = [](std::int64_t count, const char* what) { return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s"); };
  return fmt::format("  {}{:.2f} s, {}, {}\n", facts.events == 0 ? "no action, " : "", facts.seconds, counted(facts.frames, "frame"),
                     counted(facts.decisions, "decision"));
}

void write_timelines(const recognize::Recognizer& recognizer, std::span<const std::string> videos, const TimelineOptions& options, const TimelineOutput& output,
                     const Hooks& hooks) {
  if (output.format == TimelineFormat::kVtt && videos.size() > 1) fail_usage("WebVTT: a file has the subtitles of one video, got {} videos", videos.size());
  const EventMaker check(rules_of(options, recognizer), recognizer.model().classes);
  const TimelineText text(output.format, output.decisions, recognizer.model().classes);
  output.write(text.head());
  for (const std::string& video : videos) {
    std::string title = text.video(video);
    const auto show = [&](const std::string& piece) { output.write(std::exchange(title, "") + piece); };
    TimelineSink sink;
    if (output.decisions) sink.decision = [&](const Decision& decision) { show(text.decision(video, decision)); };
    else sink.event = [&](const Event& event) { show(text.event(video, event)); };
    try {
      show(text.end(run_timeline(recognizer, video, options, sink, hooks)));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kUsage) throw;
      output.failed(error);
    }
  }
}

}  // namespace actio::stream
