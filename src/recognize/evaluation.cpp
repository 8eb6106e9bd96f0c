#include "recognize/evaluation.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "data/list_file.h"
#include "recognize/recognize_all.h"

namespace actio::recognize {

Fields TestOptions::fields() {
  Fields fields = {choice_field("protocol", &protocol, "views of a test clip: one in the middle, or a paper's")};
  for (const Field& field : views.fields()) fields.push_back(field);
  fields.push_back({"test_memory",
                    &memory,
                    "MiB of a clip's inputs at once; more views than fit are read one part after the other",
                    {},
                    1,
                    1 << 20});
  fields.push_back(
      {"head", &head, "measure this head alone (rgb, motion, ttn); empty: what the network answers, which fuses them"});
  fields.push_back(choice_field("average", &average, "what is averaged over the views, and what a score file holds"));
  return fields;
}

data::Protocol TestOptions::chosen_protocol(const Chosen& chosen) const {
  data::Protocol result = data::named_protocol(protocol);
  if (chosen.has(&data::Protocol::segments)) result.segments = views.segments;
  if (chosen.has(&data::Protocol::places)) result.places = views.places;
  if (chosen.has(&data::Protocol::crops)) result.crops = views.crops;
  data::check_protocol(result);
  return result;
}

void require_classes(const net::Model& model, const std::string& model_file, const std::vector<data::Item>& items,
                     const std::string& data) {
  constexpr std::size_t kShown = 5;
  const std::set<std::string> known(model.classes.begin(), model.classes.end());
  std::set<std::string> unknown;
  for (const data::Item& item : items) {
    if (!known.contains(item.label)) unknown.insert(item.label);
  }
  if (unknown.empty()) return;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(kShown, model.classes.size()); ++i)
    names.push_back("'" + data::shown(model.classes[i]) + "'");
  const std::string nearest = nearest_name(*unknown.begin(), model.classes);
  const auto is_number = [](const std::string& name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  };
  const bool of_list = std::ranges::all_of(model.classes, is_number), to_list = std::ranges::all_of(unknown, is_number);
  fail_data("{}: unknown class '{}'{}{}; {} knows {}{}{}", data, data::shown(*unknown.begin()),
            unknown.size() == 1 ? "" : fmt::format(" and {} more", unknown.size() - 1),
            nearest.empty() ? "" : fmt::format("; the nearest is '{}'", data::shown(nearest)), model_file,
            fmt::join(names, ", "),
            model.classes.size() > kShown ? fmt::format(" and {} more", model.classes.size() - kShown) : "",
            of_list == to_list ? ""
            : of_list          ? ": a list without --class-names has numbers for classes, and the model was trained by one"
                               : "; --class-names says what the numbers of a list stand for");
}

std::int64_t class_index(const net::Model& model, const std::string& label) {
  const auto found = std::ranges::find(model.classes, label);
  if (found == model.classes.end()) fail_data("the data's {}", unknown_name_text("class", label, model.classes));
  return found - model.classes.begin();
}

Evaluation evaluate(const Recognizer& recognizer, const std::vector<data::Item>& items, std::int64_t workers, const Hooks& hooks) {
  std::vector<std::string> videos;
  for (const data::Item& item : items) {
    class_index(recognizer.model(), item.label);
    videos.push_back(item.path);
  }
  Evaluation result;
  std::vector<float> scores, probabilities;
  const auto take = [&](std::size_t i, Answer answer) {
    if (const Error* error = std::get_if<Error>(&answer)) {
      result.failures.push_back(error->what());
      return;
    }
    const Recognition& video = std::get<Recognition>(answer);
    const auto logits = video.scores.values<float>(), shares = video.probabilities.values<float>();
    scores.insert(scores.end(), logits.begin(), logits.end());
    probabilities.insert(probabilities.end(), shares.begin(), shares.end());
    result.warnings.insert(result.warnings.end(), video.warnings.begin(), video.warnings.end());
    result.labels.push_back(class_index(recognizer.model(), items[i].label));
    result.items.push_back(items[i]);
  };
  Hooks own = hooks;
  if (hooks.progress) own.progress = [&](const ProgressReport& at) { hooks.progress({"evaluating", at.done, at.total, at.note}); };
  recognize_all(recognizer, videos, take, workers, own);
  const Shape shape = {static_cast<std::int64_t>(result.items.size()),
                       static_cast<std::int64_t>(recognizer.model().classes.size())};
  result.scores = Tensor::of(shape, scores);
  result.probabilities = Tensor::of(shape, probabilities);
  return result;
}

eval::ScoreTable score_table_of(const Evaluation& evaluation, const Recognizer& recognizer, eval::Average average) {
  eval::ScoreTable table;
  table.source = "evaluation";
  for (const data::Item& item : evaluation.items) table.paths.push_back(item.path);
  table.labels = evaluation.labels;
  table.classes = recognizer.model().classes;
  const bool logits = average == eval::Average::kLogits && recognizer.has_logits();
  table.scores = logits ? evaluation.scores : evaluation.probabilities;
  table.kind = logits ? eval::ScoreKind::kLogits : eval::ScoreKind::kProbabilities;
  return table;
}

}  // namespace actio::recognize
