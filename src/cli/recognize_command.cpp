#include <algorithm>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>

#include "cli/archive_output.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/option_flags.h"
#include "cli/output_check.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "cli/video_classifier.h"
#include "core/cores.h"
#include "core/error.h"
#include "data/flow_cache.h"
#include "eval/metrics.h"

namespace actio::cli {
namespace {

struct RecognizeArguments {
  std::string model;
  std::vector<std::string> videos;
  std::string manifest;
  std::string output;
  std::string shard = "1/1";
  std::int64_t workers = 2;
  std::int64_t top = 5;
  bool json = false, retry_failed = false;
  runtime::RuntimeOptions runtime;
  data::FlowCacheOptions cache;
  std::unique_ptr<OptionFlags> flags;
};

std::string text_of(const std::string& video, const data::ClipInput& clip, const VideoScores& scores, const RecognizeArguments& a,
                    const std::vector<std::string>& classes) {
  std::string text = fmt::format("{}  ({} frames)\n", video, clip.frames);
  for (const std::int64_t c : eval::top_classes(scores.probabilities, a.top)) {
    text += fmt::format("  {:5.1f} %  {}\n", 100.0 * scores.probabilities.values<float>()[c], classes[c]);
  }
  return text;
}

Json json_of(const std::string& video, const data::ClipInput& clip, const VideoScores& scores, const RecognizeArguments& a,
             const std::vector<std::string>& classes) {
  Json json = {{"video", video}, {"frames", clip.frames}, {"damaged_frames", clip.damaged}, {"sampled_frames", clip.sampled},
               {"warnings", clip.warnings}, {"top", Json::array()}};
  for (const std::int64_t c : eval::top_classes(scores.probabilities, a.top)) {
    json["top"].push_back({{"label", classes[c]}, {"class", c}, {"probability", scores.probabilities.values<float>()[c]},
                           {"score", scores.scores.values<float>()[c]}});
  }
  return json;
}

// Decoding overlaps with the network. `answer` gets each video and what was read of it, or throws of it, in order.
void read_ahead(const VideoClassifier& classifier, const std::vector<std::string>& videos, std::int64_t workers,
                const std::function<void(const std::string&, std::future<data::ClipInput>&)>& answer) {
  std::deque<std::future<data::ClipInput>> ahead;
  std::size_t started = 0;
  for (const std::string& video : videos) {
    throw_if_interrupted();
    while (started < videos.size() && ahead.size() < static_cast<std::size_t>(workers)) {
      ahead.push_back(std::async(std::launch::async, [&classifier, path = videos[started]] { return classifier.read(path); }));
      ++started;
    }
    std::future<data::ClipInput> next = std::move(ahead.front());
    ahead.pop_front();
    answer(video, next);
  }
}

Json archive_job(const RecognizeArguments& a, const VideoClassifier& classifier, const Shard& shard) {
  return {{"model", classifier.model().hash},
          {"manifest", content_hash_of_file(a.manifest)},
          {"folder", std::filesystem::path(a.manifest).parent_path().string()},  // is part of the videos' names
          {"backend", a.runtime.backend},
          {"shard", fmt::format("{}/{}", shard.index, shard.count)},
          {"top", a.top}};
}

// Every answer is in the file before the next video begins; the same command goes on after a kill.
int run_archive(RecognizeArguments& a) {
  const Shard shard = parse_shard(a.shard);
  const std::vector<std::string> all = read_manifest(a.manifest);
  const std::string path = shard_file(a.output, shard);
  check_output(path, {a.model, a.manifest});
  VideoClassifier classifier(a.model, a.runtime, {a.cache.flow_cache, 1});
  ArchiveOutput output(path, archive_job(a, classifier, shard), a.retry_failed);
  std::vector<std::string> mine, open;
  for (std::size_t i = static_cast<std::size_t>(shard.index - 1); i < all.size(); i += static_cast<std::size_t>(shard.count)) {
    mine.push_back(all[i]);
    if (!output.done().contains(all[i])) open.push_back(all[i]);
  }
  if (open.size() < mine.size()) std::puts(fmt::format("{}: {} of {} videos are done already", path, mine.size() - open.size(), mine.size()).c_str());
  TerminalProgress progress;
  auto done = static_cast<std::int64_t>(mine.size() - open.size());
  try {
    read_ahead(classifier, open, a.workers, [&](const std::string& video, std::future<data::ClipInput>& next) {
      Json answer = {{"video", video}};
      try {
        const data::ClipInput clip = next.get();
        answer = json_of(video, clip, classifier.classify(clip), a, classifier.model().classes);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kUsage) throw;
        answer["error"] = error.what();
      }
      output.add(video, answer);
      progress.show({"recognising", ++done, static_cast<std::int64_t>(mine.size()), ""});
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInterrupted) throw;
    fail(ErrorCode::kInterrupted, "interrupted after {} of {} videos; the same command goes on", done, mine.size());
  }
  output.finish();
  progress.clear();
  std::puts(fmt::format("wrote {}: {} videos{}", path, mine.size(),
                        output.failed() > 0 ? fmt::format(", {} could not be read", output.failed()) : "").c_str());
  return output.failed() > 0 ? static_cast<int>(ErrorCode::kBadData) : 0;
}

// One video that cannot be read does not stop the others; the exit code is the worst.
int run_recognize(RecognizeArguments& a) {
  a.flags->apply();
  if (!a.manifest.empty()) {
    if (!a.videos.empty()) fail_usage("either VIDEO... or --manifest, not both");
    if (a.output.empty()) fail_usage("--manifest needs --output");
    return run_archive(a);
  }
  if (a.videos.empty()) fail_usage("recognize needs videos, or --manifest with a list of them");
  if (!a.output.empty() || a.shard != "1/1" || a.retry_failed) fail_usage("--output, --shard and --retry-failed need --manifest");
  VideoClassifier classifier(a.model, a.runtime,
                             {a.cache.flow_cache, static_cast<int>(core_count())});
  TerminalProgress progress;
  int exit_code = 0;
  std::int64_t done = 0;
  for (const std::string& video : a.videos) {
    throw_if_interrupted();
    try {
      const data::ClipInput clip = classifier.read(video);
      const VideoScores scores = classifier.classify(clip);
      progress.clear();
      for (const std::string& warning : clip.warnings) print_warning(warning);
      const auto& classes = classifier.model().classes;
      if (a.json) std::puts(json_text(json_of(video, clip, scores, a, classes)).c_str());
      else std::fputs(text_of(video, clip, scores, a, classes).c_str(), stdout);
      std::fflush(stdout);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted) throw;
      progress.clear();
      std::fputs(fmt::format("actio: {}\n", error.what()).c_str(), stderr);
      exit_code = std::max(exit_code, error.exit_code());
    }
    progress.show({"recognising", ++done, static_cast<std::int64_t>(a.videos.size()), ""});
  }
  return exit_code;
}

}  // namespace

void add_recognize(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("recognize", "name the action in videos");
  auto a = std::make_shared<RecognizeArguments>();
  command.add_option("MODEL", a->model, "a model file")->required();
  command.add_option("VIDEO", a->videos, "videos or pictures");
  command.add_option("--manifest", a->manifest, "a file with a video's path on each line, for long lists; goes on where it was stopped")
      ->type_name("FILE");
  command.add_option("-o,--output", a->output, "with --manifest: the file of answers, a line of JSON for each video")->type_name("FILE");
  command.add_option("--shard", a->shard, "with --manifest: only this part of the list, 2/4 for the second of four [1/1]")->type_name("I/N");
  command.add_flag("--retry-failed", a->retry_failed, "with --manifest: ask again for the videos whose answer is an error");
  command.add_option("--workers", a->workers, "with --manifest: videos decoded ahead [2]")->check(CLI::Range(1, 64));
  command.add_option("--top", a->top, "how many classes to print [5]")->check(CLI::Range(1, 100000));
  command.add_flag("--json", a->json, "one JSON object per video and line");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add("runtime", a->runtime.fields());
  a->flags->add("cache", a->cache.fields());
  a->flags->add_config();
  on_run(command, [a] { return run_recognize(*a); });
}

}  // namespace actio::cli
