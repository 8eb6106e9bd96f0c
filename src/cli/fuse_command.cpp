#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "eval/run_fuse.h"

namespace actio::cli {
namespace {

struct FuseArguments {
  eval::FuseRequest request;
  bool json = false;
  std::unique_ptr<OptionFlags> flags;
};

int run_fuse(FuseArguments& a) {
  a.flags->apply();
  a.request.normalise_chosen = a.flags->chosen().has_name("fuse.normalise");
  const eval::FuseOutcome outcome = eval::run_fuse(a.request, print_warning);
  std::fputs(a.json ? outcome.json.c_str() : outcome.text.c_str(), stdout);
  return 0;
}

}  // namespace

void add_fuse(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("fuse", "add up the scores of several models, or compare two");
  auto a = std::make_shared<FuseArguments>();
  command.add_option("SCORES", a->request.files, "score files of the same clips: .csv, .npy or .f32")->required();
  command.add_option("-o,--output", a->request.output, "write the fused scores to this file");
  const auto one_each = CLI::MultiOptionPolicy::TakeAll;
  command
      .add_option("--index", a->request.indices,
                  "what lists the rows of .npy and .f32: once for all files, or once for each [STEM.index.txt]")
      ->allow_extra_args(false)
      ->multi_option_policy(one_each);
  command.add_option("--search", a->request.search,
                     "behind SCORES: find the weights on these score files of validation clips, one for each");
  command.add_option("--search-index", a->request.search_indices, "the same as --index for those")
      ->allow_extra_args(false)
      ->multi_option_policy(one_each);
  command.add_flag("--raw", a->request.raw, "add up the scores as they are, which is the default");
  command.add_flag("--softmax", a->request.softmax, "turn scores into probabilities first");
  command.add_flag("--compare", a->request.compare, "fuse nothing: is the first of two files better than the second?");
  command.add_option("--report", a->request.report, "also write the figures to this JSON file");
  command.add_flag("--json", a->json, "print JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add("fuse", a->request.options.fields());
  a->flags->add_config();
  on_run(command, [a] { return run_fuse(*a); });
}

}  // namespace actio::cli
