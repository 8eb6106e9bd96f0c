// cli: one function per subcommand; each describes its arguments and registers what it runs.
#pragma once

#include <CLI/CLI.hpp>

namespace actio::cli {

void add_recognize(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_fuse(CLI::App& app);
void add_train(CLI::App& app);
void add_reproduce(CLI::App& app);
void add_describe(CLI::App& app);
void add_doctor(CLI::App& app);
void add_import(CLI::App& app);
void add_export(CLI::App& app);
void add_quantize(CLI::App& app);
void add_bench(CLI::App& app);
void add_explain(CLI::App& app);
void add_timeline(CLI::App& app);
void add_data(CLI::App& app);
void add_flow(CLI::App& app);
void add_demo(CLI::App& app);

}  // namespace actio::cli
