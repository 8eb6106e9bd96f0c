#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "stream/timeline_text.h"

namespace actio::cli {
namespace {

struct TimelineArguments {
  std::string model;
  std::vector<std::string> videos;
  stream::TimelineOutput output;
  stream::TimelineOptions timeline;
  recognize::RecognizeOptions recognize;
  std::unique_ptr<OptionFlags> flags;
};

int run_timeline(TimelineArguments& a) {
  a.flags->apply();
  const recognize::Recognizer recognizer(a.model, a.recognize);
  for (const std::string& warning : recognizer.warnings()) print_warning(warning);
  TerminalProgress progress;
  int exit_code = 0;
  const auto print = [&](const std::string& text, std::FILE* to) { progress.clear(); std::fputs(text.c_str(), to); std::fflush(to); };
  a.output.write = [&](const std::string& text) { print(text, stdout); };
  a.output.failed = [&](const Error& error) { print(fmt::format("actio: {}\n", error.what()), stderr); exit_code = std::max(exit_code, error.exit_code()); };
  const WarnFn warn = [&](const std::string& line) { progress.clear(); print_warning(line); };
  stream::write_timelines(recognizer, a.videos, a.timeline, a.output, {.progress = progress.fn(), .warn = warn, .stop = interrupt_token()});
  return exit_code;
}

}  // namespace

void add_timeline(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("timeline", "what happens when in long videos");
  auto a = std::make_shared<TimelineArguments>();
  command.add_option("MODEL", a->model, "a model file")->required();
  command.add_option("VIDEO", a->videos, "videos")->required();
  const auto format = [&](const std::string& flag, stream::TimelineFormat wanted, const std::string& help) {
    return command.add_flag_callback(flag, [a, wanted] { a->output.format = wanted; }, help);
  };
  CLI::Option* json = format("--json", stream::TimelineFormat::kJson, "one JSON object per event and line");
  CLI::Option* csv = format("--csv", stream::TimelineFormat::kCsv, "comma-separated values")->excludes(json);
  format("--vtt", stream::TimelineFormat::kVtt, "WebVTT, the subtitles of one video")->excludes(json)->excludes(csv);
  command.add_flag("--decisions", a->output.decisions, "the answer to every window, in the place of events");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->timeline);
  a->flags->add(a->recognize.run);
  a->flags->add(a->recognize.read.limits);
  a->flags->add_config();
  on_run(command, [a] { return run_timeline(*a); });
}

}  // namespace actio::cli
