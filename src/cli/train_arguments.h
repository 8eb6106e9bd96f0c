// cli: what `actio train` was asked for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/option_flags.h"
#include "core/preprocess.h"
#include "data/dataset.h"
#include "data/flow_cache.h"
#include "net/zoo.h"
#include "training/peers.h"
#include "training/train.h"

namespace actio::cli {

// The tables of the TOML file.
struct TrainTables {
  net::NetworkOptions network;
  Preprocess preprocess;
  data::DatasetOptions dataset;
  training::TrainOptions train;
  data::FlowCacheOptions cache;
  std::vector<std::string> networks;  // of all stages, one of which a flag may be meant for
};

struct TrainArguments {
  std::string data;
  std::string output;
  std::vector<std::string> init;
  bool partial = false;
  bool resume = false, restart = false, restart_changed = false;
  std::string folds;
  std::string stage_cache;
  std::string scores;
  std::string log;
  std::string tensorboard;
  TrainTables tables;
  std::unique_ptr<OptionFlags> flags;
  training::Trainer* trainer = nullptr;
  training::Peers* peers = nullptr;  // the ranks that train together; null: this process alone
};

}  // namespace actio::cli
