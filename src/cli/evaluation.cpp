#include "cli/evaluation.h"

#include <algorithm>
#include <deque>
#include <future>
#include <optional>
#include <set>

#include "cli/interrupt.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "data/list_file.h"

namespace actio::cli {
namespace {

// The parts of the clips in order, decoded while the network works on those before.
class ReadAhead {
 public:
  ReadAhead(const VideoClassifier& classifier, const std::vector<data::Item>& items, std::int64_t workers)
      : classifier_(classifier),
        items_(items),
        depth_(std::min(classifier.parts_at_once(), static_cast<std::size_t>(std::max<std::int64_t>(workers, 1)))) {}

  data::ClipInput next() {
    while (started_ < items_.size() * classifier_.parts() && ahead_.size() < depth_) {
      const std::string& path = items_[started_ / classifier_.parts()].path;
      const std::size_t part = started_ % classifier_.parts();
      ahead_.push_back(std::async(std::launch::async, [this, path, part] { return classifier_.read(path, part); }));
      ++started_;
    }
    std::future<data::ClipInput> first = std::move(ahead_.front());
    ahead_.pop_front();
    return first.get();
  }

 private:
  const VideoClassifier& classifier_;
  const std::vector<data::Item>& items_;
  std::size_t depth_;
  std::size_t started_ = 0;  // parts of clips
  std::deque<std::future<data::ClipInput>> ahead_;
};

void add_once(std::vector<std::string>& lines, std::size_t from, const std::string& line) {
  if (std::find(lines.begin() + static_cast<std::ptrdiff_t>(from), lines.end(), line) == lines.end()) lines.push_back(line);
}

// One clip after the other; nothing where it could not be read, which is told in `result`.
std::optional<VideoScores> evaluate_clip(VideoClassifier& classifier, ReadAhead& ahead, Evaluation& result) {
  ViewMean mean;
  std::string failure;
  const std::size_t warnings_before = result.warnings.size();
  for (std::size_t part = 0; part < classifier.parts(); ++part) {
    try {
      const data::ClipInput clip = ahead.next();
      for (const std::string& warning : clip.warnings) add_once(result.warnings, warnings_before, warning);
      if (failure.empty()) classifier.add(clip, mean);
    } catch (const Error& error) {
      // What was asked for makes no sense; that is no video's fault, and the next one would fail alike.
      if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kUsage) throw;
      if (failure.empty()) failure = error.what();
    }
  }
  if (failure.empty()) return mean.mean();
  result.failures.push_back(failure);
  return std::nullopt;
}

}  // namespace

Fields TestOptions::fields() {
  Fields fields = {{"protocol", &protocol, "views of a test clip: one in the middle, or a paper's", data::protocol_names()}};
  for (const Field& field : views.fields()) fields.push_back(field);
  fields.push_back({"test_memory",
                    &memory,
                    "MiB of a clip's inputs at once; more views than fit are read one part after the other",
                    {},
                    1,
                    1 << 20});
  fields.push_back(
      {"head", &head, "measure this head alone (rgb, motion, ttn); empty: what the network answers, which fuses them"});
  fields.push_back(
      {"average", &average, "what is averaged over the views, and what a score file holds", {"probabilities", "logits"}});
  return fields;
}

data::Protocol TestOptions::chosen(const OptionFlags& flags) const {
  data::Protocol result = data::named_protocol(protocol);
  if (flags.was_set("test.test_segments")) result.segments = views.segments;
  if (flags.was_set("test.test_places")) result.places = views.places;
  if (flags.was_set("test.test_crops")) result.crops = views.crops;
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

Evaluation evaluate_items(VideoClassifier& classifier, const std::vector<data::Item>& items, std::int64_t workers) {
  for (const data::Item& item : items) class_index(classifier.model(), item.label);
  Evaluation result;
  std::vector<float> scores, probabilities;
  TerminalProgress progress;
  ReadAhead ahead(classifier, items, workers);
  for (const data::Item& item : items) {
    throw_if_interrupted();
    if (const std::optional<VideoScores> video = evaluate_clip(classifier, ahead, result)) {
      const auto logits = video->scores.values<float>(), shares = video->probabilities.values<float>();
      scores.insert(scores.end(), logits.begin(), logits.end());
      probabilities.insert(probabilities.end(), shares.begin(), shares.end());
      result.labels.push_back(class_index(classifier.model(), item.label));
      result.items.push_back(item);
    }
    const auto done = static_cast<std::int64_t>(result.items.size() + result.failures.size());
    progress.show({"evaluating", done, static_cast<std::int64_t>(items.size()), ""});
  }
  const Shape shape = {static_cast<std::int64_t>(result.items.size()),
                       static_cast<std::int64_t>(classifier.model().classes.size())};
  result.scores = Tensor::of(shape, scores);
  result.probabilities = Tensor::of(shape, probabilities);
  return result;
}

eval::ScoreTable score_table_of(const Evaluation& evaluation, const VideoClassifier& classifier,
                                const std::string& average) {
  eval::ScoreTable table;
  table.source = "evaluation";
  for (const data::Item& item : evaluation.items) table.paths.push_back(item.path);
  table.labels = evaluation.labels;
  table.classes = classifier.model().classes;
  const bool logits = average == "logits" && classifier.has_logits();
  table.scores = logits ? evaluation.scores : evaluation.probabilities;
  table.kind = logits ? eval::ScoreKind::kLogits : eval::ScoreKind::kProbabilities;
  return table;
}

}  // namespace actio::cli
