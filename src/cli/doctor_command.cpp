#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "core/json_text.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "video/examine.h"

namespace actio::cli {

void add_doctor(CLI::App& app) {
  struct Arguments {
    std::string video;
    bool json = false;
  };
  CLI::App& command = *app.add_subcommand("doctor", "decode a video and tell what is in it and which motion sources will work");
  auto a = std::make_shared<Arguments>();
  command.add_option("VIDEO", a->video, "the file")->required();
  command.add_flag("--json", a->json, "as JSON");
  on_run(command, [a] {
    TerminalProgress progress;
    const video::Examination examination = video::examine(a->video, [&](const ProgressReport& report) {
      throw_if_interrupted();
      progress.show(report);
    });
    progress.clear();
    std::puts(a->json ? json_text(video::to_json(examination), 2).c_str() : video::to_text(examination).c_str());
    return examination.counters.frames > 0 ? 0 : 3;
  });
}

}  // namespace actio::cli
