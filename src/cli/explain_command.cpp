#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/json_text.h"
#include "core/output_check.h"
#include "data/read_limits.h"
#include "explain/cam.h"
#include "explain/cam_picture.h"
#include "explain/cam_video.h"

namespace actio::cli {
namespace {

struct CamArguments {
  std::string model, video, output, label, overlay;
  bool json = false;
  runtime::RunOptions runtime;
  data::ReadLimits limits;
  std::unique_ptr<OptionFlags> flags;
};

int run_cam(CamArguments& a) {
  a.flags->apply();
  if (a.output.empty() && !a.json) a.output = std::filesystem::path(a.video).stem().string() + ".cam.png";
  if (!a.output.empty()) check_output(a.output, {a.model, a.video});
  if (!a.overlay.empty()) check_output(a.overlay, {a.model, a.video, a.output});
  recognize::RecognizeOptions options;
  options.run = a.runtime;
  options.read.limits = a.limits;
  const explain::CamMaker maker(a.model, options);
  for (const std::string& warning : maker.recognizer().warnings()) print_warning(warning);
  const explain::Cam cam = maker.make(a.video, a.label, interrupt_token());
  for (const std::string& warning : cam.answer.warnings) print_warning(warning);
  std::string columns;
  if (!a.output.empty()) {
    const explain::CamPicture picture = explain::draw(cam, maker.recognizer().model().inputs);
    explain::write_png(a.output, picture.rgb);
    columns = fmt::format("wrote {}: a line for each snippet; {}\n", a.output, fmt::join(picture.columns, ", "));
  }
  if (!a.overlay.empty()) {
    const std::int64_t frames = explain::write_cam_video(cam, maker.recognizer().model().inputs, a.overlay, interrupt_token());
    columns += fmt::format("wrote {}: {} frames\n", a.overlay, frames);
  }
  std::fputs(a.json ? (json_text(explain::to_json(cam)) + "\n").c_str() : (explain::text_of(cam) + columns).c_str(), stdout);
  return 0;
}

void add_cam(CLI::App& explain) {
  CLI::App& command = *explain.add_subcommand("cam", "which places of which snippets speak for a class (class activation maps)");
  auto a = std::make_shared<CamArguments>();
  command.add_option("MODEL", a->model, "a model file")->required();
  command.add_option("VIDEO", a->video, "a video or picture")->required();
  command.add_option("-o,--output", a->output, "the picture, a PNG [VIDEO's name with .cam.png; none with --json]");
  command.add_option("--overlay", a->overlay, "also write the video with the maps of all heads over it, and a strip that tells when (.mp4, .mkv, ...)");
  command.add_option("--class", a->label, "the class that is explained [the one that the network answers]");
  command.add_flag("--json", a->json, "print the maps as JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->runtime);
  a->flags->add(a->limits);
  a->flags->add_config();
  on_run(command, [a] { return run_cam(*a); });
}

}  // namespace

void add_explain(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("explain", "why a network answers what it answers");
  command.require_subcommand(1);
  add_cam(command);
}

}  // namespace actio::cli
