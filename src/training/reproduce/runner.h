// training: who trains and tests the rows of a reproduction, in whatever process. In: one piece of work. Out: its files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"
#include "data/protocol.h"
#include "eval/average.h"
#include "training/request.h"

namespace actio::training {

// Goes on where it was begun; folds of other settings or clips are replaced.
struct RowTraining {
  std::string data;
  std::string output;              // a folder
  std::string config;              // a TOML file
  std::string stage_cache;         // a folder
  std::string folds;               // as TrainRequest::folds
  std::int64_t seed = 1;
  std::vector<std::string> init;   // files
  std::vector<Setting> data_options;
};

// Throws: Error(kUsage), or kFailed where the configuration cannot be read.
TrainRequest request_of(const RowTraining& work);

struct RowEvaluation {
  std::string model, data;
  std::vector<Setting> data_options;
  std::string fold;                // a group, or with `official` the number of a split
  bool official = false;
  data::ProtocolName protocol = data::ProtocolName::kCentre;
  eval::Average average = eval::Average::kProbabilities;
  std::string head;                // empty: what the network answers
  std::string flow_cache;          // empty: none
  std::string scores;              // the file to write
};

class Runner {
 public:
  virtual ~Runner() = default;

  // Throws: Error with the reason for which it failed; Error(kInterrupted).
  virtual void train(const RowTraining& work) = 0;

  // Clips that cannot be read are left out of the scores. Throws: as train.
  virtual void evaluate(const RowEvaluation& work) = 0;
};

}  // namespace actio::training
