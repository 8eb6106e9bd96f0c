#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "data/synthetic.h"

namespace actio::cli {
namespace {

void add_synth(CLI::App& data) {
  struct Arguments {
    data::SynthesisOptions options;
    std::unique_ptr<OptionFlags> flags;
  };
  CLI::App& command = *data.add_subcommand("synth", "render order-sensitive clips: every action and its time reversal");
  auto a = std::make_shared<Arguments>();
  command.add_option("-o,--output", a->options.out, "the folder to fill; must be empty or new")->required();
  a->flags = std::make_unique<OptionFlags>(command);
  Fields fields = a->options.fields();
  std::erase_if(fields, [](const Field& field) { return field.name == "out"; });   // it is --output
  a->flags->add("synth", fields);
  a->flags->add_config();
  on_run(command, [a] {
    a->flags->apply();
    TerminalProgress progress;
    const data::SynthesisReport report = data::synthesise(a->options, progress.fn(), interrupt_token());
    progress.clear();
    std::puts(fmt::format("{} clips of {} classes ({} to train on, {} to test on), {} frames\n{}", report.clips, report.classes.size(),
                          report.train, report.test, report.frames, report.labels_csv).c_str());
    return 0;
  });
}

}  // namespace

void add_data(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("data", "make and inspect datasets");
  command.require_subcommand(1);
  add_synth(command);
}

}  // namespace actio::cli
