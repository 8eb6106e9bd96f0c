#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "cli/video_classifier.h"
#include "core/error.h"
#include "data/flow_cache.h"
#include "eval/metrics.h"

namespace actio::cli {
namespace {

struct RecognizeArguments {
  std::string model;
  std::vector<std::string> videos;
  std::int64_t top = 5;
  bool json = false;
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

// One video that cannot be read does not stop the others; the exit code is the worst.
int run_recognize(RecognizeArguments& a) {
  a.flags->apply();
  VideoClassifier classifier(a.model, a.runtime,
                             {a.cache.flow_cache, static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))});
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
  command.add_option("VIDEO", a->videos, "videos or pictures")->required();
  command.add_option("--top", a->top, "how many classes to print [5]")->check(CLI::Range(1, 100000));
  command.add_flag("--json", a->json, "one JSON object per video and line");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add("runtime", a->runtime.fields());
  a->flags->add("cache", a->cache.fields());
  a->flags->add_config();
  on_run(command, [a] { return run_recognize(*a); });
}

}  // namespace actio::cli
