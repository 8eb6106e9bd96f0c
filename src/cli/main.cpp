#include <string_view>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/run_command.h"
#include "cli/trainer_program.h"
#include "video/ffmpeg_log.h"

namespace {

// Commands whose networks share the cores with decoding, or with other programs.
bool runs_networks(std::string_view command) {
  return command == "recognize" || command == "evaluate" || command == "demo" || command == "reproduce" || command == "quantize" || command == "bench" ||
         command == "explain" || command == "timeline";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && runs_networks(argv[1]) && std::string_view(argv[argc - 1]) != "--help") actio::cli::restart_with_short_spinning(argv);
  actio::cli::install_interrupt_handler();
  actio::video::silence_ffmpeg();
  CLI::App app("actio trains, evaluates and deploys two-stream action recognition.", "actio");
  app.require_subcommand(1);
  app.set_version_flag("--version", ACTIO_VERSION);
  app.footer("Exit codes: 0 done, 1 failed, 2 usage, 3 bad data, 130 interrupted.\n'actio COMMAND --help' lists a command's options.");
  actio::cli::add_recognize(app);
  actio::cli::add_timeline(app);
  actio::cli::add_train(app);
  actio::cli::add_evaluate(app);
  actio::cli::add_fuse(app);
  actio::cli::add_reproduce(app);
  actio::cli::add_demo(app);
  actio::cli::add_doctor(app);
  actio::cli::add_describe(app);
  actio::cli::add_import(app);
  actio::cli::add_export(app);
  actio::cli::add_quantize(app);
  actio::cli::add_bench(app);
  actio::cli::add_explain(app);
  actio::cli::add_data(app);
  actio::cli::add_flow(app);
  return actio::cli::run_app(app, argc, argv);
}
