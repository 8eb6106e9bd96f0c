// actio: trains a network on videos. In: a dataset and options. Out: a model file. It is in libactio_train, behind which LibTorch is.
#pragma once

#include <actio/error.h>
#include <actio/export.h>
#include <actio/hooks.h>
#include <actio/network.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace actio {

// The options of a training by their names in docs/options.md: "train.epochs", "network.backbone", "data.test_share". What is left open
// is decided by "recipe.recipe" from the clips and the machine, and written beside the output, where no network is named; else it follows from
// the network's paper, or from first weights.
class ACTIO_API TrainSpec {
 public:
  TrainSpec();
  // The tables of a file for `actio train --config`, [[stage]] included. Throws: Error(kUsage) with file, line and the nearest name.
  static TrainSpec read(const std::filesystem::path& toml);
  ~TrainSpec();
  TrainSpec(const TrainSpec&);
  TrainSpec& operator=(const TrainSpec&);
  TrainSpec(TrainSpec&&) noexcept;
  TrainSpec& operator=(TrainSpec&&) noexcept;

  // Text as a flag has it ("0.001", "true", "1,2,3"); it wins over the file's tables and over those of its stages.
  // Throws: Error(kUsage) naming the nearest option, or what the value has to be.
  TrainSpec& set(std::string_view option, std::string_view value);
  std::string get(std::string_view option) const;  // text as set() reads it
  std::vector<std::string> options() const;
  std::vector<std::string> stages() const;  // names; empty: one training

 private:
  friend TrainSpec paper_spec(std::string_view network);
  friend struct TrainSpecAccess;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What a network's paper prescribes. Throws: Error(kUsage) naming the nearest network.
ACTIO_API TrainSpec paper_spec(std::string_view network);

// What to do with what an earlier training left at the output.
enum class Existing {
  kRefuse,          // an unfinished training is an error
  kResume,          // go on from it; another training's results are an error
  kRestart,         // begin anew
  kReplaceChanged,  // go on where settings and clips are the same, else begin anew
};

struct TrainRequest {
  TrainSpec spec;
  std::optional<Network> network = {};      // one's own, in the place of what network and preprocess options say
  std::filesystem::path data;               // what `actio train` takes: a folder with one folder per class, a CSV, a list
  std::filesystem::path output;             // the model file; with folds a folder
  std::vector<std::filesystem::path> init;  // files of first weights, of which an earlier one goes before a later one
  bool partial = false;                     // tensors that they lack begin anew, and those that have no place are left out
  Existing existing = Existing::kRefuse;
  std::string folds;                        // "all", or names with commas: hold out each in turn; empty: one split
  std::filesystem::path stage_cache;        // folder of models of stages that trainings share; empty: none
  std::filesystem::path scores;             // file of the scores of the test part; empty: none
  std::filesystem::path log;                // file that gets a line of JSON for each epoch; empty: none
  std::filesystem::path tensorboard;        // folder of event files; empty: none
};

struct EpochRecord {
  std::int64_t epoch = 0;  // from 1
  double learning_rate = 0;
  double loss = 0;             // mean over the clips
  double train_top1 = 0;       // of the clips as augmented
  double validation_loss = -1;  // -1: there is no validation part
  double validation_top1 = -1;
  double test_top1 = -1;  // -1: not evaluated in this epoch
  double gradient_norm = 0;
  double seconds = 0;
  double clips_per_second = 0;
  bool best = false;  // the best model so far
};

struct TrainHooks : Hooks {
  std::function<void(const EpochRecord&)> epoch = {};  // after each
  std::function<void(const std::string&)> say = {};    // lines on what is done: first weights, figures of an epoch, a file that was written
};

struct TrainOutcome {
  std::vector<EpochRecord> epochs;  // of this run, of all its stages
  std::int64_t test_clips = 0;      // 0: without a test part, with folds, or where an earlier training had done all
  double test_top1 = -1;            // of them, named rightly by the model that was written
};

// In this process and on its own thread. Throws: Error(kInterrupted) on hooks.stop, once what was learned is saved: the same request
// with Existing::kResume goes on, bit for bit; Error(kUsage) for what contradicts itself.
ACTIO_API TrainOutcome train(const TrainRequest& request, const TrainHooks& hooks = {});

}  // namespace actio
