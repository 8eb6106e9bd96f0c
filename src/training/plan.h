// training: the stages of a training, each of which starts from what earlier ones learned. In: a request and clips. Out: a model.
#pragma once

#include <string>

#include "data/dataset.h"
#include "training/request.h"
#include "training/run.h"

namespace actio::training {

struct PlanOutput {
  std::string model;        // of the last stage; those of the others go to the folder "MODEL without extension.stages"
  std::string scores;       // of the last stage's test part
  std::string log;
  std::string tensorboard;
  Existing existing = Existing::kRefuse;
};

// One division of the data and where its results go.
struct Plan {
  const TrainRequest& request;
  TrainSpec spec;  // the request's, with this division of the data
  PlanOutput output;
  const data::Dataset& dataset;
  const data::Split& split;
};

// What would fail after hours of work, or once earlier stages are trained. Throws: Error(kUsage) naming the stage.
void check_plan(const Plan& plan, const Team& team);

// Runs every stage; without stages, the one training that the options name.
TrainRunResult run_plan(const Plan& plan, const Team& team, const TrainHooks& hooks = {});

}  // namespace actio::training
