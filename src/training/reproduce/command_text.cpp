#include "training/reproduce/command_text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace actio::training {
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

std::string text_of(const Words& words) {
  std::string text = "actio";
  for (const std::string& word : words) text += " " + quoted(word);
  return text;
}

void add_options(const std::vector<Setting>& options, Words& words) {
  for (const Setting& option : options) words.insert(words.end(), {flag_name(option.field), option.text});
}

Words words_of(const RowTraining& work) {
  Words words = {"train", work.data, "-o", work.output, "--config", work.config, "--stage-cache", work.stage_cache,
                 "--folds", work.folds, "--restart-changed", "--seed", fmt::format("{}", work.seed)};
  if (!work.init.empty()) words.insert(words.end(), {"--init", fmt::format("{}", fmt::join(work.init, ","))});
  add_options(work.data_options, words);
  return words;
}

Words words_of(const RowEvaluation& work) {
  Words words = {"evaluate", work.model, work.data};
  add_options(work.data_options, words);
  words.insert(words.end(), {work.official ? "--split" : "--fold", work.fold, "--protocol", std::string(name_of(work.protocol))});
  if (work.average != eval::Average::kProbabilities) words.insert(words.end(), {"--average", std::string(name_of(work.average))});
  if (!work.head.empty()) words.insert(words.end(), {"--head", work.head});
  if (!work.flow_cache.empty()) words.insert(words.end(), {"--flow-cache", work.flow_cache});
  words.insert(words.end(), {"--scores", work.scores});
  return words;
}

}  // namespace

std::string command_text(const RowTraining& work) { return text_of(words_of(work)); }
std::string command_text(const RowEvaluation& work) { return text_of(words_of(work)); }

}  // namespace actio::training
