#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/file.h"
#include "core/json_text.h"
#include "core/output_check.h"
#include "net/model_file.h"
#include "net/safetensors.h"
#include "runtime/bench.h"

namespace actio::cli {
namespace {

struct BenchArguments {
  std::string model, inputs, outputs;
  std::vector<std::string> others;
  bool json = false, unverified = false;
  double seconds = 3;
  runtime::RunOptions run;
  std::unique_ptr<OptionFlags> flags;
};

int run_bench(BenchArguments& a) {
  a.flags->apply();
  if (!a.outputs.empty()) check_output(a.outputs, {a.model, a.inputs});
  runtime::BenchRequest request{{a.run}, {}, a.seconds, !a.unverified};
  for (const std::string& other : a.others) request.settings.push_back(a.run.but(other));
  if (!a.inputs.empty()) request.inputs = net::read_safetensors(a.inputs);
  const net::Model model = net::read_model(a.model);
  for (const runtime::RunOptions& setting : request.settings) {
    if (!a.inputs.empty()) runtime::require_ranges(setting.precision, model.quantization, a.model);
  }
  TerminalProgress progress;
  const runtime::BenchOutcome outcome =
      runtime::bench(model.spec, model.weights, model.quantization, request, {.progress = progress.fn(), .warn = {}, .stop = interrupt_token()});
  progress.clear();
  if (!a.outputs.empty()) write_file_atomically(a.outputs, net::safetensors_content({{"scores", outcome.rows[0].results.at(model.spec.scores)}}, {}, a.outputs));
  std::puts(a.json ? json_text(runtime::to_json(outcome), 2).c_str() : runtime::text_of(outcome).c_str());
  return 0;
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("bench", "how fast a model's network is on this machine, verified before it is timed");
  auto a = std::make_shared<BenchArguments>();
  command.add_option("MODEL", a->model, "a model file")->required();
  command.add_option("--vs", a->others, "other precisions, backends, or both (openvino:bf16), timed in turn with the first")->delimiter(',');
  command.add_option("--seconds", a->seconds, "that each is timed for, at least [3]")->check(CLI::Range(0.0, 3600.0));
  command.add_option("--inputs", a->inputs, "a clip's inputs, preprocessed, as .safetensors; without it, random ones");
  command.add_option("--outputs", a->outputs, "also write the first setting's scores to this .safetensors file");
  command.add_flag("--no-verify", a->unverified, "do not wait for the reference's naive loops");
  command.add_flag("--json", a->json, "print JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->run);
  a->flags->add_config();
  on_run(command, [a] { return run_bench(*a); });
}

}  // namespace actio::cli
