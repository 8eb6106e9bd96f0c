#include "cli/child_runner.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "cli/child_process.h"
#include "cli/trainer_program.h"
#include "core/error.h"
#include "recognize/evaluation_request.h"
#include "training/request_file.h"

namespace actio::cli {
namespace {

using Words = std::vector<std::string>;

// As a shell takes it.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain = "-_./=,:+@";
  const auto is_plain = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.find(c) != kPlain.npos;
  };
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

std::string command_text(const Words& words) {
  std::string text = "actio";
  for (const std::string& word : words) text += " " + quoted(word);
  return text;
}

void add_options(const std::vector<Setting>& options, Words& words) {
  for (const Setting& option : options) words.insert(words.end(), {flag_name(option.field), option.text});
}

Words words_of(const training::RowTraining& work) {
  Words words = {"train", work.data, "-o", work.output, "--config", work.config, "--stage-cache", work.stage_cache,
                 "--folds", work.folds, "--restart-changed", "--seed", fmt::format("{}", work.seed)};
  if (!work.init.empty()) words.insert(words.end(), {"--init", fmt::format("{}", fmt::join(work.init, ","))});
  add_options(work.data_options, words);
  return words;
}

Words words_of(const training::RowEvaluation& work) {
  Words words = {"evaluate", work.model, work.data};
  add_options(work.data_options, words);
  words.insert(words.end(), {work.official ? "--split" : "--fold", work.fold, "--protocol", std::string(name_of(work.protocol))});
  if (work.average != eval::Average::kProbabilities) words.insert(words.end(), {"--average", std::string(name_of(work.average))});
  if (!work.head.empty()) words.insert(words.end(), {"--head", work.head});
  if (!work.flow_cache.empty()) words.insert(words.end(), {"--flow-cache", work.flow_cache});
  words.insert(words.end(), {"--scores", work.scores});
  return words;
}

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

std::string ChildRunner::text(const training::RowTraining& work) const { return command_text(words_of(work)); }

std::string ChildRunner::text(const training::RowEvaluation& work) const { return command_text(words_of(work)); }

}  // namespace actio::cli
