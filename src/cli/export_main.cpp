// actio-export: what `actio export` becomes. In: a model file. Out: the same as an ONNX file.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/interrupt.h"
#include "core/output_check.h"
#include "cli/run_command.h"
#include "core/error.h"
#include "exporter/onnx_export.h"
#include "net/model_file.h"

namespace actio::cli {
namespace {

struct ExportArguments {
  std::string model;
  std::string output;
  exporter::OnnxOptions options;
};

std::string ports_text(const std::vector<exporter::OnnxPort>& ports) {
  std::string text;
  for (const exporter::OnnxPort& port : ports) text += (text.empty() ? "" : ", ") + exporter::port_text(port);
  return text;
}

int run_export(const ExportArguments& a) {
  const std::string ending = std::filesystem::path(a.output).extension().string();
  if (ending != ".onnx") fail_usage("{}: an ONNX file's name ends in .onnx, not in '{}'", a.output, ending);
  check_output(a.output, {a.model});
  const net::Model model = net::read_model(a.model);
  throw_if_interrupted();
  const exporter::OnnxFile file = exporter::export_onnx(model, a.output, a.options);
  std::puts(fmt::format("{}: {}, opset {}, in: {}, out: {}", a.output, one_line(model.spec.name), file.opset,
                        ports_text(file.inputs), ports_text(file.outputs)).c_str());
  return 0;
}

void add_arguments(CLI::App& app, const std::shared_ptr<ExportArguments>& a) {
  app.add_option("MODEL", a->model, "the model file")->required();
  app.add_option("-o,--output", a->output, "the .onnx file to write")->required();
  app.add_option("--clips", a->options.clips, "clips per run (N); 0: left open")
      ->check(CLI::Range(std::int64_t{0}, exporter::kMostClips))
      ->capture_default_str();
  on_run(app, [a] { return run_export(*a); });
}

}  // namespace
}  // namespace actio::cli

int main(int argc, char** argv) {
  actio::cli::install_interrupt_handler();
  CLI::App app("Write a model as an ONNX file, for other engines.", "actio export");
  actio::cli::add_arguments(app, std::make_shared<actio::cli::ExportArguments>());
  return actio::cli::run_app(app, argc, argv);
}
