#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "core/json_text.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/cores.h"
#include "core/error.h"
#include "core/file.h"
#include "data/flow_batch.h"
#include "data/flow_cache.h"
#include "data/flow_preview.h"

namespace actio::cli {
namespace {

struct FlowArguments {
  std::string source;
  std::string output;
  std::string preview;
  std::int64_t threads = 0;
  bool replace = false;
  bool json = false;
  Preprocess preprocess;
  data::ReadLimits limits;
  std::unique_ptr<OptionFlags> flags;
};

double per(double amount, double unit) { return unit > 0 ? amount / unit : 0; }

double fields_per_second(const data::FlowBatchReport& r) { return per(static_cast<double>(r.fields), r.seconds); }
double bytes_per_field(const data::FlowBatchReport& r) {
  return per(static_cast<double>(r.bytes), static_cast<double>(r.fields));
}

std::string text_of(const data::FlowBatchReport& r) {
  std::string text = fmt::format("videos             {}\n", r.videos);
  text += fmt::format("computed           {}\n", r.computed);
  text += fmt::format("were there         {}\n", r.skipped);
  text += fmt::format("failed             {}\n", r.failures.size());
  text += fmt::format("fields             {} in {:.1f} s, {:.1f} a second\n", r.fields, r.seconds, fields_per_second(r));
  text += fmt::format("bytes per field    {:.0f}", bytes_per_field(r));
  return text;
}

Json json_of(const data::FlowBatchReport& r, const FlowArguments& a) {
  return {{"source", a.source}, {"output", a.output}, {"videos", r.videos}, {"computed", r.computed}, {"skipped", r.skipped},
          {"failed", r.failures.size()}, {"fields", r.fields}, {"seconds", r.seconds},
          {"fields_per_second", fields_per_second(r)}, {"bytes", r.bytes}, {"bytes_per_field", bytes_per_field(r)},
          {"failures", r.failures}, {"warnings", r.warnings}};
}

void write_preview(const FlowArguments& a, const std::string& video) {
  const data::FlowPreview preview =
      data::write_flow_preview(video, data::flow_path(a.output, video), a.preview, interrupt_token());
  // Where JSON is asked for, standard output holds nothing else.
  std::fputs(fmt::format("{}: {} frames; full colour is a displacement of {:.1f} pixels or more\n", a.preview, preview.frames,
                         preview.full_pixels).c_str(), a.json ? stderr : stdout);
}

int run_flow(FlowArguments& a) {
  a.flags->apply();
  data::FlowBatch batch;
  batch.videos = data::find_videos(a.source);
  if (!a.preview.empty() && batch.videos.size() != 1) {
    fail_usage("--preview shows one video; {} holds {}", a.source, batch.videos.size());
  }
  if (!a.preview.empty()) check_writable(a.preview);
  data::make_cache_folder(a.output);
  batch.folder = a.output;
  batch.settings = motion::flow_settings(a.preprocess);
  batch.threads = static_cast<int>(a.threads > 0 ? a.threads : core_count());
  batch.replace = a.replace;
  batch.limits = a.limits;
  TerminalProgress progress;
  data::FlowBatchReport report;
  try {
    report = data::extract_flows(batch, progress.fn(), interrupt_token());
  } catch (const Error& error) {
    progress.clear();
    if (error.code() != ErrorCode::kInterrupted) throw;
    fail(ErrorCode::kInterrupted, "interrupted; what was finished is in {}, and the same command goes on from there", a.output);
  }
  progress.clear();
  print_warnings(report.warnings);
  print_warnings(report.failures);
  if (!a.preview.empty() && report.failures.empty()) write_preview(a, batch.videos.front());
  std::puts(a.json ? json_text(json_of(report, a), 2).c_str() : text_of(report).c_str());
  return report.failures.empty() ? 0 : static_cast<int>(ErrorCode::kBadData);
}

}  // namespace

void add_flow(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("flow", "compute the optical flow of videos once, for --flow-cache");
  auto a = std::make_shared<FlowArguments>();
  command.add_option("SOURCE", a->source, "a video, a folder with videos at any depth, or a list of clips (.csv, .txt)")->required();
  command.add_option("-o,--output", a->output, "the folder to fill; what is there with the same options is skipped")
      ->required()->type_name("FOLDER");
  command.add_option("--preview", a->preview, "of a single video: also write a video of the flow in colours")->type_name("FILE");
  command.add_option("--threads", a->threads, "how many fields are computed at a time; 0: one per core [0]")->check(CLI::Range(0, 1024));
  command.add_flag("--replace", a->replace, "compute anew what is there with other options, instead of refusing");
  command.add_flag("--json", a->json, "print JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  Fields fields = a->preprocess.fields();
  std::erase_if(fields, [](const Field& f) { return !f.name.starts_with("flow_") && f.name != "motion_bound"; });
  a->flags->add("preprocess", fields);
  a->flags->add(a->limits);
  a->flags->add_config();
  on_run(command, [a] { return run_flow(*a); });
}

}  // namespace actio::cli
