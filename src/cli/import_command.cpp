#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "core/error.h"
#include "core/output_check.h"
#include "net/import.h"

namespace actio::cli {
namespace {

struct ImportArguments {
  net::ImportRequest request;
  std::string output;
  std::unique_ptr<OptionFlags> flags;
};

int run_import(ImportArguments& a) {
  a.flags->apply();
  a.request.chosen = a.flags->chosen();
  check_output(a.output, {a.request.source, a.request.labels});
  net::Imported made = net::import_model(a.request);
  for (const std::string& note : made.notes) std::puts(note.c_str());
  net::write_model(a.output, made.model);
  std::puts(fmt::format("{}: {}, {} classes, {} tensors from {}", a.output, made.model.spec.name, made.model.classes.size(), made.model.weights.size(),
                        a.request.source).c_str());
  return 0;
}

}  // namespace

void add_import(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("import", "make a model of torchvision-named image weights (.safetensors or zip .pth)");
  auto a = std::make_shared<ImportArguments>();
  command.add_option("WEIGHTS", a->request.source, "the weights")->required();
  command.add_option("-o,--output", a->output, "the model file to write")->required();
  command.add_option("--labels", a->request.labels, "a text file with one class name per line");
  command.add_option("--prefix", a->request.prefix,
                     "take only the tensors whose names begin so, where a file holds several networks");
  command.add_flag("--partial", a->request.partial, "load what fits into any network, start the rest anew, and print both");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->request.options);
  a->flags->add(a->request.preprocess);
  for (const char* table : {"data", "train", "cache", "read", "stage"}) a->flags->tolerate(table);  // a file for training does
  a->flags->add_config();
  on_run(command, [a] { return run_import(*a); });
}

}  // namespace actio::cli
