// recognize: a model over the items of a dataset. In: a recogniser and items. Out: a score matrix; a clip that fails is counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/chosen.h"
#include "core/hooks.h"
#include "data/dataset.h"
#include "data/protocol.h"
#include "eval/average.h"
#include "eval/score_table.h"
#include "recognize/recognizer.h"

namespace actio::recognize {

struct TestOptions {
  static constexpr std::string_view kTable = "test";

  data::ProtocolName protocol = data::ProtocolName::kCentre;
  data::Protocol views;       // what replaces parts of it
  std::string head;           // of the network, alone; empty: what it answers
  std::int64_t memory = 128;  // MiB of a clip's inputs at once
  eval::Average average = eval::Average::kProbabilities;  // what is averaged over the views

  Fields fields();

  std::size_t bytes() const { return static_cast<std::size_t>(memory) << 20; }

  // The named protocol with those parts replaced that were chosen. Throws: as check_protocol.
  data::Protocol chosen_protocol(const Chosen& chosen) const;
};

struct Evaluation {
  std::vector<data::Item> items;      // those that could be read
  std::vector<std::int64_t> labels;   // their indices into the model's classes
  Tensor scores;                      // f32 [N, classes], before softmax where the network has logits
  Tensor probabilities;               // f32 [N, classes]
  std::vector<std::string> failures;  // one line for each clip that could not be read
  std::vector<std::string> warnings;  // one line for each that is damaged or short
};

// Throws: Error(kBadData) naming both files, a class of the items that the model lacks and some that it has.
void require_classes(const net::Model& model, const std::string& model_file, const std::vector<data::Item>& items,
                     const std::string& data);

// The model's index of a class name. Throws: Error(kBadData) naming the nearest class.
std::int64_t class_index(const net::Model& model, const std::string& label);

// Videos are decoded ahead of the network by up to `workers` threads, fewer where their views are large.
// Throws: Error(kInterrupted) on hooks.stop.
Evaluation evaluate(const Recognizer& recognizer, const std::vector<data::Item>& items, std::int64_t workers, const Hooks& hooks = {});

// The averages that the user chose as a table; a network without logits has probabilities alone.
eval::ScoreTable score_table_of(const Evaluation& evaluation, const Recognizer& recognizer, eval::Average average);

}  // namespace actio::recognize
