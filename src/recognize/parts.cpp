#include "recognize/parts.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace actio::recognize {

void PartsMean::add(data::ClipInput clip, double read_seconds, const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  for (TensorMap& view : recognizer_.add(clip.inputs, mean_, stop)) recognition_.kept.push_back(std::move(view));
  recognition_.timings.network_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  recognition_.timings.read_seconds += read_seconds;
  recognition_.frames = clip.frames;
  recognition_.damaged = std::max(recognition_.damaged, clip.damaged);
  recognition_.sampled.insert(recognition_.sampled.end(), clip.sampled.begin(), clip.sampled.end());
  for (std::string& line : clip.warnings) {
    if (std::ranges::find(recognition_.warnings, line) == recognition_.warnings.end()) recognition_.warnings.push_back(std::move(line));
  }
}

Recognition PartsMean::recognition() {
  VideoScores scores = mean_.mean();
  recognition_.probabilities = std::move(scores.probabilities);
  recognition_.scores = std::move(scores.scores);
  return std::move(recognition_);
}

}  // namespace actio::recognize
