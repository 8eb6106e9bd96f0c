#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/request_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/output_check.h"
#include "recognize/run_evaluation.h"

namespace actio::cli {
namespace {

struct EvaluateArguments {
  recognize::EvaluationRequest request;
  bool json = false;
  std::unique_ptr<OptionFlags> flags;
  std::unique_ptr<RequestFlags> file;
};

void settle(EvaluateArguments& a) {
  if (!a.file->read_from().empty()) {
    a.request = recognize::read_request(a.file->read_from());
    return;
  }
  a.flags->apply();
  a.request.chosen = a.flags->chosen();
}

int write_request(const EvaluateArguments& a) {
  check_output(a.file->write_to(), {a.request.model, a.request.data});
  recognize::write_request(a.file->write_to(), a.request);
  std::puts(fmt::format("wrote {}", a.file->write_to()).c_str());
  return 0;
}

int run_evaluate(EvaluateArguments& a) {
  settle(a);
  if (!a.file->write_to().empty()) return write_request(a);
  TerminalProgress progress;
  const recognize::EvaluationOutcome outcome = recognize::run_evaluation(
      a.request, {.progress = progress.fn(), .warn = print_warning, .stop = interrupt_token()}, a.file->read_from());
  progress.clear();
  for (const auto* lines : {&outcome.data_warnings, &outcome.warnings, &outcome.failures}) print_warnings(*lines);
  if (outcome.report.is_null()) fail_data("{}: none of {} videos could be read", a.request.data, outcome.failures.size());
  std::puts(a.json ? json_text(outcome.report, 2).c_str() : recognize::text_of(outcome.figures, outcome.report, outcome.classes).c_str());
  return outcome.failures.empty() ? 0 : static_cast<int>(ErrorCode::kBadData);
}

}  // namespace

void add_evaluate(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("evaluate", "measure a model on a dataset");
  auto a = std::make_shared<EvaluateArguments>();
  recognize::EvaluationRequest& request = a->request;
  CLI::Option* const model = command.add_option("MODEL", request.model, "a model file");
  CLI::Option* const data =
      command.add_option("DATA", request.data, "a folder with one folder per class, a CSV, UCF101 or HMDB51 with their lists, or a list");
  command.add_option("--part", request.part, "test, train, validation or all [test where the clips are divided, else all]")
      ->check(CLI::IsMember({"test", "train", "validation", "all"}));
  command.add_option("--report", request.report, "also write the figures to this JSON file");
  command.add_option("--scores", request.scores, "also write the scores of every clip to this file: .csv, .npy or .f32");
  const CLI::Option* const json = command.add_flag("--json", a->json, "print JSON");
  command.add_option("--workers", request.workers, "videos decoded ahead [2]")->check(CLI::Range(1, 64));
  a->file = std::make_unique<RequestFlags>(command, std::vector{model, data}, std::vector{json});
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(request.dataset);
  a->flags->add(request.test);
  a->flags->add(request.runtime);
  a->flags->add(request.cache);
  a->flags->add(request.limits);
  a->flags->add_config();
  on_run(command, [a] { return run_evaluate(*a); });
}

}  // namespace actio::cli
