// cli: a progress bar on stderr, for work that takes longer than a second; where stderr is no terminal a line a minute. A child of
// child_process.h, whose output passes through its parent, is told of the terminal by ACTIO_TERMINAL.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/progress.h"

namespace actio::cli {

class TerminalProgress {
 public:
  // Without a terminal a line is written when so much time has passed since the last one, or since the beginning.
  explicit TerminalProgress(std::chrono::milliseconds between_lines = std::chrono::minutes(1));
  ~TerminalProgress() { clear(); }
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  void show(const ProgressReport& report);
  void clear();                          // removes the bar, so that a line can be printed
  ProgressFn fn() { return [this](const ProgressReport& report) { show(report); }; }

 private:
  using Clock = std::chrono::steady_clock;
  void show_line(const ProgressReport& report, Clock::time_point now);

  bool terminal_;
  std::chrono::milliseconds between_lines_;
  bool visible_ = false;
  std::string what_;
  Clock::time_point start_;
  Clock::time_point last_;
};

// One line on stderr that is neither warning nor error.
void print_note(const std::string& message);

// "warning: ..." on stderr, one line.
void print_warning(const std::string& message);

// The first of them, and how many more there are.
void print_warnings(const std::vector<std::string>& messages);

// What is said of a dataset: `ignored` is a note, or empty.
void print_remarks(const std::string& ignored, const std::vector<std::string>& warnings);

}  // namespace actio::cli
