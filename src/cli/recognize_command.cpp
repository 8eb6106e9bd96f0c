#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/cores.h"
#include "core/error.h"
#include "core/json_text.h"
#include "data/flow_cache.h"
#include "data/read_limits.h"
#include "recognize/answer_json.h"
#include "recognize/recognize_all.h"
#include "recognize/run_archive.h"

namespace actio::cli {
namespace {

struct RecognizeArguments {
  std::string model;
  std::vector<std::string> videos;
  recognize::ArchiveRequest archive;
  std::int64_t top = 5;
  bool json = false;
  runtime::RunOptions runtime;
  data::FlowCacheOptions cache;
  data::ReadLimits limits;
  std::unique_ptr<OptionFlags> flags;
};

std::string text_of(const std::string& video, const recognize::Recognition& recognition, const recognize::Recognizer& recognizer,
                    std::int64_t top) {
  std::string text = fmt::format("{}  ({} frames)\n", video, recognition.frames);
  for (const recognize::ClassScore& best : recognizer.top(recognition, top)) {
    text += fmt::format("  {:5.1f} %  {}\n", 100.0 * best.probability, best.label);
  }
  const double below = recognizer.reject_below();
  if (recognizer.top(recognition, 1).front().probability < below) {
    text += fmt::format("  perhaps none of these: 95 % of right answers reach {:.1f} %\n", 100 * below);
  }
  return text;
}

recognize::RecognizeOptions options_of(const RecognizeArguments& a) {
  const auto videos = std::max<std::int64_t>(static_cast<std::int64_t>(a.videos.size()), 1);
  const std::int64_t flow_threads = a.archive.manifest.empty() ? std::max<std::int64_t>(core_count() / videos, 1) : 1;
  return {.run = a.runtime,
          .read = {.flow_cache = a.cache.flow_cache, .flow_threads = static_cast<int>(flow_threads), .limits = a.limits},
          .head = {},
          .protocol = {},
          .keep = {},
          .at_once = videos};
}

int run_archive(RecognizeArguments& a) {
  TerminalProgress progress;
  a.archive.model = a.model;
  a.archive.top = a.top;
  const recognize::ArchiveOutcome outcome =
      recognize::run_archive(a.archive, options_of(a), {.progress = progress.fn(), .warn = print_warning, .stop = interrupt_token()});
  progress.clear();
  if (outcome.done_before > 0) std::puts(fmt::format("{}: {} of {} videos are done already", outcome.file, outcome.done_before, outcome.videos).c_str());
  std::puts(fmt::format("wrote {}: {} videos{}", outcome.file, outcome.videos,
                        outcome.failed > 0 ? fmt::format(", {} could not be read", outcome.failed) : "").c_str());
  return outcome.failed > 0 ? static_cast<int>(ErrorCode::kBadData) : 0;
}

// One video that cannot be read does not stop the others; the exit code is the worst.
int run_recognize(RecognizeArguments& a) {
  a.flags->apply();
  if (!a.archive.manifest.empty()) {
    if (!a.videos.empty()) fail_usage("either VIDEO... or --manifest, not both");
    if (a.archive.output.empty()) fail_usage("--manifest needs --output");
    return run_archive(a);
  }
  if (a.videos.empty()) fail_usage("recognize needs videos, or --manifest with a list of them");
  if (!a.archive.output.empty() || a.archive.shard != "1/1" || a.archive.retry_failed) fail_usage("--output, --shard and --retry-failed need --manifest");
  const recognize::Recognizer recognizer(a.model, options_of(a));
  for (const std::string& warning : recognizer.warnings()) print_warning(warning);
  TerminalProgress progress;
  int exit_code = 0;
  const auto print = [&](std::size_t i, const recognize::Answer& answer) {
    progress.clear();
    if (const auto* error = std::get_if<Error>(&answer)) {
      std::fputs(fmt::format("actio: {}\n", error->what()).c_str(), stderr);
      exit_code = std::max(exit_code, error->exit_code());
      return;
    }
    const auto& recognition = std::get<recognize::Recognition>(answer);
    for (const std::string& warning : recognition.warnings) print_warning(warning);
    if (a.json) std::puts(json_text(recognize::to_json(recognition, recognizer, a.videos[i], a.top)).c_str());
    else std::fputs(text_of(a.videos[i], recognition, recognizer, a.top).c_str(), stdout);
    std::fflush(stdout);
  };
  recognize::recognize_all(recognizer, std::span<const std::string>(a.videos), print, a.archive.workers,
                           {.progress = progress.fn(), .warn = {}, .stop = interrupt_token()});
  return exit_code;
}

}  // namespace

void add_recognize(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("recognize", "name the action in videos");
  auto a = std::make_shared<RecognizeArguments>();
  command.add_option("MODEL", a->model, "a model file")->required();
  command.add_option("VIDEO", a->videos, "videos or pictures");
  command.add_option("--manifest", a->archive.manifest, "a file with a video's path on each line, for long lists; goes on where it was stopped")
      ->type_name("FILE");
  command.add_option("-o,--output", a->archive.output, "with --manifest: the file of answers, a line of JSON for each video")->type_name("FILE");
  command.add_option("--shard", a->archive.shard, "with --manifest: only this part of the list, 2/4 for the second of four [1/1]")->type_name("I/N");
  command.add_flag("--retry-failed", a->archive.retry_failed, "with --manifest: ask again for the videos whose answer is an error");
  command.add_option("--workers", a->archive.workers, "videos decoded ahead [2]")->check(CLI::Range(1, 64));
  command.add_option("--top", a->top, "how many classes to print [5]")->check(CLI::Range(1, 100000));
  command.add_flag("--json", a->json, "one JSON object per video and line");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->runtime);
  a->flags->add(a->cache);
  a->flags->add(a->limits);
  a->flags->add_config();
  on_run(command, [a] { return run_recognize(*a); });
}

}  // namespace actio::cli
