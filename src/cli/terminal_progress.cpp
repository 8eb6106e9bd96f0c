#include "cli/terminal_progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/hooks.h"

namespace actio::cli {
namespace {

constexpr int kBarWidth = 24;

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

int terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string bar_of(double share) {
  const int filled = static_cast<int>(share * kBarWidth);
  return fmt::format("[{}{}] ", std::string(static_cast<std::size_t>(filled), '#'), std::string(static_cast<std::size_t>(kBarWidth - filled), '.'));
}

std::string line_text(const ProgressReport& report, double elapsed, bool with_bar) {
  std::string line = report.what + " ";
  if (report.total > 0) {
    const double share = std::clamp(static_cast<double>(report.done) / static_cast<double>(report.total), 0.0, 1.0);
    line += fmt::format("{}{}/{}", with_bar ? bar_of(share) : "", report.done, report.total);
    if (share > 0) line += fmt::format("  {} left", duration_text(elapsed * (1 - share) / share));
  } else {
    line += fmt::format("{}  {}", report.done, duration_text(elapsed));
  }
  if (!report.note.empty()) line += "  " + report.note;
  return line;
}

}  // namespace

TerminalProgress::TerminalProgress(std::chrono::milliseconds between_lines)
    : terminal_(::isatty(STDERR_FILENO) == 1 || std::getenv("ACTIO_TERMINAL") != nullptr), between_lines_(between_lines), start_(Clock::now()),
      last_(start_) {}

void TerminalProgress::show(const ProgressReport& report) {
  const auto now = Clock::now();
  if (report.what != what_) {
    what_ = report.what;
    start_ = now;
  }
  if (!terminal_) return show_line(report, now);
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  if (elapsed < 1 || (visible_ && now - last_ < std::chrono::milliseconds(100))) return;
  last_ = now;
  visible_ = true;
  std::fputs(fmt::format("\r{}\x1b[K", line_text(report, elapsed, true).substr(0, static_cast<std::size_t>(terminal_width() - 1))).c_str(), stderr);
  std::fflush(stderr);
}

void TerminalProgress::show_line(const ProgressReport& report, Clock::time_point now) {
  if (now - last_ < between_lines_) return;
  last_ = now;
  std::fputs((line_text(report, std::chrono::duration<double>(now - start_).count(), false) + "\n").c_str(), stderr);
  std::fflush(stderr);
}

void TerminalProgress::clear() {
  if (!visible_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  visible_ = false;
}

void print_warnings(const std::vector<std::string>& messages) { FewWarnings(print_warning).add(messages); }

void print_remarks(const std::string& ignored, const std::vector<std::string>& warnings) {
  if (!ignored.empty()) print_note(ignored);
  print_warnings(warnings);
}

void print_note(const std::string& message) { std::fputs((message + "\n").c_str(), stderr); }

void print_warning(const std::string& message) { std::fputs(("warning: " + message + "\n").c_str(), stderr); }

}  // namespace actio::cli
