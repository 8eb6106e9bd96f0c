// training: one training from first weights to a model file, resumable. In: options, clips and where to write. Out: files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/train_arguments.h"
#include "data/dataset.h"
#include "eval/score_table.h"

namespace actio::training {

struct TrainRun {
  std::string output;             // the model file; "OUTPUT.state" is what --resume goes on from
  std::vector<std::string> init;  // files
  bool partial = false;
  bool resume = false;            // a finished model of the same configuration is left as it is
  bool restart = false;           // an earlier state is thrown away
  bool replace_other = false;     // with resume: a finished model or state of another configuration is replaced, not refused
  std::string name;               // of a stage; empty: there are none
  std::string cache_folder;       // a stage's model is taken from "CACHE_FOLDER/NAME-HASH.actio" where that exists, else put there
  bool only_in_cache = false;     // and nowhere else
  std::string scores;             // of the test part; empty: none
  std::string log;                // a line of JSON for each epoch; empty: none
  std::string tensorboard;        // a folder; empty: none
  training::Trainer* trainer = nullptr;
  training::Peers* peers = nullptr;  // only its rank 0 writes; all read the same folders
};

struct TrainRunResult {
  std::string model;                     // its file
  std::optional<eval::ScoreTable> test;  // where there are test clips, unless the model and its scores were there already
};

// `tables` holds what the user set; what follows from the first weights is filled in.
// Throws: Error(kInterrupted) once what was learned is saved.
TrainRunResult run_training(const TrainRun& run, const OptionFlags& flags, TrainTables tables, const data::Dataset& dataset,
                            const data::Split& split);

}  // namespace actio::training
