// cli: a model over the items of a dataset. In: a classifier and items. Out: a score matrix; a clip that fails is counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/video_classifier.h"
#include "data/dataset.h"

namespace actio::cli {

struct Evaluation {
  std::vector<data::Item> items;           // those that could be read
  std::vector<std::int64_t> labels;        // their indices into the model's classes
  Tensor scores;                           // f32 [N, classes]
  std::vector<std::string> failures;       // one line for each clip that could not be read
  std::vector<std::string> warnings;       // one line for each that is damaged or short
};

// The model's index of a class name. Throws: Error(kBadData) naming the nearest class.
std::int64_t class_index(const net::Model& model, const std::string& label);

// `workers` videos are decoded ahead of the network. Throws: Error(kInterrupted) on Ctrl-C.
Evaluation evaluate_items(VideoClassifier& classifier, const std::vector<data::Item>& items, std::int64_t workers);

}  // namespace actio::cli
