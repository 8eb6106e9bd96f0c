#include "cli/evaluation.h"

#include <algorithm>
#include <deque>
#include <future>

#include "cli/interrupt.h"
#include "cli/terminal_progress.h"
#include "core/error.h"

namespace actio::cli {

std::int64_t class_index(const net::Model& model, const std::string& label) {
  const auto found = std::ranges::find(model.classes, label);
  if (found == model.classes.end()) fail_data("the data's {}", unknown_name_text("class", label, model.classes));
  return found - model.classes.begin();
}

Evaluation evaluate_items(VideoClassifier& classifier, const std::vector<data::Item>& items, std::int64_t workers) {
  for (const data::Item& item : items) class_index(classifier.model(), item.label);
  Evaluation result;
  std::vector<float> scores;
  TerminalProgress progress;
  std::deque<std::future<data::ClipInput>> ahead;   // decoding overlaps with the network
  std::size_t started = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    throw_if_interrupted();
    while (started < items.size() && ahead.size() < static_cast<std::size_t>(workers)) {
      ahead.push_back(std::async(std::launch::async, [&classifier, path = items[started].path] { return classifier.read(path); }));
      ++started;
    }
    std::future<data::ClipInput> next = std::move(ahead.front());
    ahead.pop_front();
    try {
      const data::ClipInput clip = next.get();
      for (const std::string& warning : clip.warnings) result.warnings.push_back(warning);
      const VideoScores video = classifier.classify(clip);
      const auto values = video.scores.values<float>();
      scores.insert(scores.end(), values.begin(), values.end());
      result.labels.push_back(class_index(classifier.model(), items[i].label));
      result.items.push_back(items[i]);
    } catch (const Error& error) {
      // What was asked for makes no sense; that is no video's fault, and the next one would fail alike.
      if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kUsage) throw;
      result.failures.emplace_back(error.what());
    }
    progress.show({"evaluating", static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(items.size()), ""});
  }
  const auto classes = static_cast<std::int64_t>(classifier.model().classes.size());
  result.scores = Tensor::of({static_cast<std::int64_t>(result.items.size()), classes}, scores);
  return result;
}

}  // namespace actio::cli
