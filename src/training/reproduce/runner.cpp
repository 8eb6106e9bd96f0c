#include "training/reproduce/runner.h"

#include "core/error.h"

namespace actio::training {

TrainRequest request_of(const RowTraining& work) {
  const Json file = read_toml(work.config);
  TrainRequest request;
  request.data = work.data;
  request.output = work.output;
  request.spec = read_spec(file, work.config);
  request.stages = read_stages(file, work.config);
  request.settings = work.data_options;
  request.settings.push_back({"train", "seed", fmt::format("{}", work.seed), "the flag --seed"});
  request.config = work.config;
  request.init = work.init;
  request.existing = Existing::kReplaceChanged;
  request.folds = work.folds;
  request.stage_cache = work.stage_cache;
  for (const Setting& setting : request.settings) apply(setting, request.spec);
  return request;
}

}  // namespace actio::training
