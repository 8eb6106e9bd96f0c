// training: the stages of a training, each of which starts from what earlier ones learned. In: the [[stage]] tables of a TOML file. Out:
// a model.
//
// Source: IF-TTN sec. 3.4 and 4.2 (spatial, temporal, then TTN with frozen features); STFN sec. 4.2 (streams, then fusion with
// fixed weights, then all together).
#pragma once

#include <string>
#include <vector>

#include "cli/train_arguments.h"
#include "training/run.h"

namespace actio::training {

struct Stage {
  std::string name;               // of its model file and of its log
  std::vector<std::string> init;  // names of earlier stages, files, "first_weights" (what --init names); empty: the stage before, or --init
  Json tables = Json::object();   // what differs from the file's own tables
};

// Throws: Error(kUsage) naming the stage: one without a name, a name that occurs twice, an init that is no earlier stage and no
// file, or a key that no stage has.
std::vector<Stage> read_stages(const Json& file, const std::string& where);

struct PlanOutput {
  std::string model;        // of the last stage; those of the others go to the folder "MODEL without extension.stages"
  std::string scores;       // of the last stage's test part
  std::string log;
  std::string tensorboard;
  bool resume = false;
};

// What would fail after hours of work, or once earlier stages are trained. Throws: Error(kUsage) naming the stage.
void check_plan(TrainArguments& arguments, const std::vector<Stage>& stages, const TrainTables& tables, const PlanOutput& output,
                const data::Dataset& dataset, const data::Split& split);

// Runs every stage; without stages, the one training that the options name.
TrainRunResult run_plan(TrainArguments& arguments, const std::vector<Stage>& stages, const TrainTables& tables,
                        const PlanOutput& output, const data::Dataset& dataset, const data::Split& split);

}  // namespace actio::training
