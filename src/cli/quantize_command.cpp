#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/json_text.h"
#include "recognize/quantize.h"

namespace actio::cli {
namespace {

struct QuantizeArguments {
  recognize::QuantizeRequest request;
  bool json = false;
  std::unique_ptr<OptionFlags> flags;
};

int run_quantize(QuantizeArguments& a) {
  a.flags->apply();
  if (a.flags->chosen().has(&runtime::RunOptions::precision)) fail_usage("quantize compares every precision: --precision has no place here");
  TerminalProgress progress;
  const recognize::Quantized quantized = recognize::quantize(a.request, {.progress = progress.fn(), .warn = print_warning, .stop = interrupt_token()});
  progress.clear();
  for (const auto* lines : {&quantized.warnings, &quantized.failures}) print_warnings(*lines);
  std::puts(a.json ? json_text(recognize::to_json(quantized), 2).c_str()
                   : fmt::format("{}\nwrote {}", recognize::text_of(quantized), a.request.output).c_str());
  return quantized.failures.empty() ? 0 : static_cast<int>(ErrorCode::kBadData);
}

}  // namespace

void add_quantize(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("quantize", "let a model compute in 8 bits, and measure what each precision costs");
  auto a = std::make_shared<QuantizeArguments>();
  command.add_option("MODEL", a->request.model, "a model file")->required();
  command.add_option("--data", a->request.data, "clips: a folder with one folder per class, a CSV, or a list; those for testing are not used")->required();
  command.add_option("-o,--output", a->request.output, "the model file to write")->required();
  command.add_flag("--json", a->json, "print JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->request.dataset);
  a->flags->add(a->request.quantize);
  a->flags->add(a->request.runtime);
  a->flags->add(a->request.cache);
  a->flags->add(a->request.limits);
  a->flags->add_config();
  on_run(command, [a] { return run_quantize(*a); });
}

}  // namespace actio::cli
