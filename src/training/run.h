// training: one training from first weights to a model file, resumable. In: options, clips and where to write. Out: files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/score_table.h"
#include "training/fit_heads.h"
#include "training/request.h"

namespace actio::training {

struct TrainRun {
  std::string output;             // the model file; "OUTPUT.state" is what --resume goes on from
  std::vector<std::string> init;  // files
  bool partial = false;
  Existing existing = Existing::kRefuse;  // kResume leaves a finished model of the same configuration as it is
  std::string name;               // of a stage; empty: there are none
  std::string cache_folder;       // a stage's model is taken from "CACHE_FOLDER/NAME-HASH.actio" where that exists, else put there
  bool only_in_cache = false;     // and nowhere else
  std::string scores;             // of the test part; empty: none
  std::string log;                // a line of JSON for each epoch; empty: none
  std::string tensorboard;        // a folder; empty: none
  TrainInner train_inner;         // with fit_heads inner
  Team team;                      // only its rank 0 writes; all read the same folders
};

struct TrainRunResult {
  std::string model;                     // its file
  std::optional<eval::ScoreTable> test;  // where there are test clips, unless the model and its scores were there already
};

// What follows from the first weights is filled in where `spec` leaves it open.
// Throws: Error(kInterrupted) once what was learned is saved.
TrainRunResult run_training(const TrainRun& run, TrainSpec spec, const data::Dataset& dataset, const data::Split& split,
                            const TrainHooks& hooks = {});

// Before hours of other work: whether what lies at run.output belongs to another training, by what is known before its first
// weights are: clips, [train], and what the user set of the network and of preprocessing.
// Throws: Error(kUsage) with the first difference, where the run would throw it.
void refuse_others_output(const TrainRun& run, const TrainSpec& spec, const data::Split& split);

}  // namespace actio::training
