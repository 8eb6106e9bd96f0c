#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "core/json_text.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "data/read_limits.h"
#include "video/examine.h"

namespace actio::cli {

void add_doctor(CLI::App& app) {
  struct Arguments {
    std::string video;
    bool json = false;
    data::ReadLimits limits;
    std::unique_ptr<OptionFlags> flags;
  };
  CLI::App& command = *app.add_subcommand("doctor", "decode a video and tell what is in it and which motion sources will work");
  auto a = std::make_shared<Arguments>();
  command.add_option("VIDEO", a->video, "the file")->required();
  command.add_flag("--json", a->json, "as JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->limits);
  a->flags->add_config();
  on_run(command, [a] {
    a->flags->apply();
    TerminalProgress progress;
    const auto show = [&](const ProgressReport& report) {
      throw_if_interrupted();
      progress.show(report);
    };
    const video::DecoderOptions limits = {.max_pixels = a->limits.max_pixels, .max_seconds = a->limits.max_seconds};
    const video::Examination examination = video::examine(a->video, show, limits);
    progress.clear();
    std::puts(a->json ? json_text(video::to_json(examination), 2).c_str() : video::to_text(examination).c_str());
    return examination.counters.frames > 0 ? 0 : 3;
  });
}

}  // namespace actio::cli
