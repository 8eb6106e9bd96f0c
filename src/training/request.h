// training: one request to train: data, options, stages, and where the results go. Everything that `actio train` can be asked for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/hooks.h"
#include "core/names.h"
#include "eval/score_table.h"
#include "training/peers.h"
#include "training/spec.h"
#include "training/train.h"

namespace actio {
namespace training {

// What to do with what an earlier training left at the output.
enum class Existing {
  kRefuse,          // an unfinished training is an error
  kResume,          // go on from it; another training's results are an error
  kRestart,         // begin anew
  kReplaceChanged,  // go on where settings and clips are the same, else begin anew
};

}  // namespace training

template <>
inline constexpr auto kNames<training::Existing> =
    NameTable<training::Existing, 4>{{{training::Existing::kRefuse, "refuse"},
                                      {training::Existing::kResume, "resume"},
                                      {training::Existing::kRestart, "restart"},
                                      {training::Existing::kReplaceChanged, "restart_changed"}}};

namespace training {

struct TrainRequest {
  std::string data;
  std::string output;             // the model file; with folds a folder
  TrainSpec spec;
  std::vector<Stage> stages;      // empty: one training
  std::vector<Setting> settings;  // win over the stages' tables
  std::string config;             // the file that the stages are from, for messages
  std::vector<std::string> init;  // files of first weights, of which an earlier one goes before a later one
  bool partial = false;           // tensors that they lack begin anew, and those that have no place are left out
  Existing existing = Existing::kRefuse;
  std::string folds;              // "all", or names with commas; empty: one split
  std::string stage_cache;        // folder of models of stages that trainings share; empty: none
  std::string scores;             // file of the scores of the test part; empty: none
  std::string log;                // file that gets a line of JSON for each epoch; empty: none
  std::string tensorboard;        // folder of event files; empty: none
};

struct TrainHooks : Hooks {
  std::function<void(const std::string&)> say;   // lines on what is done: figures of an epoch, a file that was written
  std::function<void(const std::string&)> note;  // lines beside that
  std::function<void(const EpochRecord&)> epoch;

  void tell(const std::string& line) const {
    if (say) say(line);
  }

  void warn_of(const std::string& line) const {
    if (warn) warn(line);
  }

  // What was left out of a dataset, or nothing, and what is odd about it.
  void tell_of_data(const std::string& ignored, const std::vector<std::string>& warnings) const {
    if (note && !ignored.empty()) note(ignored);
    FewWarnings(warn).add(warnings);
  }
};

// Who does it.
struct Team {
  Trainer* trainer = nullptr;
  Peers* peers = nullptr;  // the processes that train together, as the trainer knows them; null: this one alone

  bool leads() const { return peers == nullptr || peers->rank() == 0; }
  int size() const { return peers == nullptr ? 1 : peers->size(); }
};

// Throws: Error(kUsage) for what contradicts itself; no file is looked at.
void check_settings(const TrainRequest& request);

// Before hours of work rather than after them. Throws: as check_settings; as check_output for files that cannot be written or are
// inputs, as the request's own file is, if it has one.
void check_request(const TrainRequest& request, const std::string& file = "");

// Throws: Error(kInterrupted) once what was learned is saved; the same request, resumed, goes on.
// Returns: what the model answered to the test part; empty with folds, without such a part, and where an earlier training had done all.
std::optional<eval::ScoreTable> run_request(const TrainRequest& request, const Team& team, const TrainHooks& hooks = {});

}  // namespace training
}  // namespace actio
