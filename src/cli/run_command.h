// cli: what both programs do around a command: parse, run, and turn what went wrong into one line and an exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace actio::cli {

// Parses the arguments into `app` and runs what its commands registered. Returns the exit code: 0 done, 1 failed, 2 usage,
// 3 bad data, 130 interrupted.
int run_app(CLI::App& app, int argc, char** argv);

// Runs `body` after parsing; a body returns the exit code.
void on_run(CLI::App& app, std::function<int()> body);

}  // namespace actio::cli
