#include "cli/commands.h"
#include "cli/run_command.h"
#include "cli/trainer_program.h"

namespace actio::cli {

// All arguments, --help too, are the exporter's.
void add_export(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("export", "write a model as an ONNX file ('actio export --help' lists the options)");
  command.prefix_command();
  command.set_help_flag();
  on_run(command, [&command]() -> int { become_exporter(command.remaining()); });
}

}  // namespace actio::cli
