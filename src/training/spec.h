// training: what a training is asked to be. In: option tables, the [[stage]] tables of a file, settings that win over both. Out: the
// options of each stage, resolved once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/chosen.h"
#include "core/options.h"
#include "core/preprocess.h"
#include "data/dataset.h"
#include "data/flow_cache.h"
#include "data/read_limits.h"
#include "net/defaults.h"
#include "net/zoo.h"
#include "training/recipe/recipe_options.h"
#include "training/train.h"

namespace actio::training {

// A network that is none of the zoo's.
struct OwnNetwork {
  net::NetSpec spec;
  Inputs inputs;
};

struct TrainSpec {
  std::shared_ptr<const OwnNetwork> own;  // in the place of what `network` and `preprocess` say; null: theirs
  net::NetworkOptions network;
  Preprocess preprocess;
  data::DatasetOptions dataset;
  TrainOptions train;
  data::FlowCacheOptions cache;
  data::ReadLimits read;
  RecipeOptions recipe;
  Chosen chosen;            // of all these; what was left open may follow from the network's paper or from first weights
  net::OtherStages others;  // empty where there are no stages

  // Of a table's name ("network"); they point into this object. Empty for a name that is none.
  Fields fields(std::string_view table);
};

// Of the tables, as a TOML file has them.
const std::vector<std::string>& spec_tables();

// The tables of a file; [[stage]] is for read_stages(). Throws: Error(kUsage) naming `where` and the nearest table or option.
TrainSpec read_spec(const Json& file, const std::string& where);

// Throws: Error(kUsage) naming setting.where.
void apply(const Setting& setting, TrainSpec& spec);

// What a network's paper prescribes: paper_spec("stfn") has STFN's 5 segments and 10 centred motion fields.
// Throws: Error(kUsage) naming the nearest network.
TrainSpec paper_spec(std::string_view network);

// Source: IF-TTN sec. 3.4 and 4.2 (spatial, temporal, then TTN with frozen features); STFN sec. 4.2 (streams, then fusion with
// fixed weights, then all together).
struct Stage {
  std::string name;               // of its model file and of its log
  std::vector<std::string> init;  // names of earlier stages, files, "first_weights" (what --init names); empty: the stage before, or --init
  Json tables = Json::object();   // what differs from the file's own tables
};

// In a stage's init: what --init names, for stages that do not go on from an earlier one.
inline constexpr const char* kFirstWeights = "first_weights";

// Throws: Error(kUsage) naming the stage: one without a name, a name that occurs twice, an init that is no earlier stage and no
// file, or a key that no stage has.
std::vector<Stage> read_stages(const Json& file, const std::string& where);

// The options of each stage: those of `spec`, the stage's own tables, and `settings`, which win. The data stay as they are in
// `spec`. Throws: Error(kUsage) naming `where`, the file, and the stage.
std::vector<TrainSpec> resolve(const TrainSpec& spec, const std::vector<Stage>& stages, const std::vector<Setting>& settings,
                               const std::string& where);

}  // namespace actio::training
