#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/run_command.h"
#include "cli/trainer_program.h"

namespace actio::cli {

// All arguments, --help too, are the trainer's.
void add_train(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("train", "train a network on your videos ('actio train --help' lists the options)");
  command.prefix_command();
  command.set_help_flag();
  on_run(command, [&command]() -> int { become_trainer(command.remaining()); });
}

}  // namespace actio::cli
