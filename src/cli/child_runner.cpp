#include "cli/child_runner.h"

#include <filesystem>

#include "cli/child_process.h"
#include "cli/trainer_program.h"
#include "core/error.h"
#include "recognize/evaluation_request.h"
#include "training/request_file.h"

namespace actio::cli {
namespace {

recognize::EvaluationRequest request_of(const training::RowEvaluation& work) {
  recognize::EvaluationRequest request;
  request.model = work.model;
  request.data = work.data;
  request.scores = work.scores;
  const auto choose = [&](auto& options, const std::string& name, const std::string& text) {
    for (const Field& field : options.fields()) {
      if (field.name == name) set_field(field, text, "the flag " + flag_name(name));
    }
    request.chosen.add_name(fmt::format("{}.{}", options.kTable, name));
  };
  for (const Setting& setting : work.data_options) choose(request.dataset, setting.field, setting.text);
  choose(request.dataset, work.official ? "split" : "fold", work.fold);
  choose(request.test, "protocol", std::string(name_of(work.protocol)));
  if (work.average == eval::Average::kLogits) choose(request.test, "average", std::string(name_of(work.average)));
  if (!work.head.empty()) choose(request.test, "head", work.head);
  if (!work.flow_cache.empty()) choose(request.cache, "flow_cache", work.flow_cache);
  return request;
}

}  // namespace

void ChildRunner::train(const training::RowTraining& work) {
  const std::string file = (std::filesystem::path(work.output) / "request.json").string();
  training::write_request(file, training::request_of(work));
  const ChildEnd end = run_child(trainer_command_line({"--request", file}));
  if (end.exit_code == 0) return;
  fail("{}", end.error.empty() ? fmt::format("training failed with exit code {}", end.exit_code) : end.error);
}

void ChildRunner::evaluate(const training::RowEvaluation& work) {
  const std::string file = std::filesystem::path(work.scores).replace_extension(".request.json").string();
  recognize::write_request(file, request_of(work));
  const ChildEnd end = run_child({this_program(), "evaluate", "--request", file});
  std::error_code ignored;
  if (end.exit_code == 0 || std::filesystem::exists(work.scores, ignored)) return;
  fail("{}", end.error.empty() ? fmt::format("evaluation failed with exit code {}", end.exit_code) : end.error);
}

}  // namespace actio::cli
