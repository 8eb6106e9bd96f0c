// training: cross-validation: a training for each part of the data that is held out in turn. In: a plan and a dataset. Out: a folder
// with a model and a score file for each fold, all scores together, and a table.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "training/plan.h"
#include "training/request.h"

namespace actio::training {

// "all": every group of the dataset (leave one out), or the three official splits; else the names of folds, with commas.
// Throws: Error(kUsage) for a fold that is none, and where --fold or --test-share divide the data already.
std::vector<data::DatasetOptions> folds_of(const std::string& folds, const data::Dataset& dataset, const data::DatasetOptions& options);

// Folds that are done are left as they are: the same request goes on where it was stopped.
void run_folds(const TrainRequest& request, const Team& team, const TrainHooks& hooks = {});

}  // namespace actio::training
