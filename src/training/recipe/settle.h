// training: a request whose settings a recipe decides. In: a request and its clips. Out: the same with its stages, and what was decided.
#pragma once

#include <functional>
#include <optional>

#include "data/dataset.h"
#include "training/recipe/estimate.h"
#include "training/recipe/paced_trainer.h"
#include "training/request.h"

namespace actio::training {

struct Settled {
  TrainRequest request;
  std::function<TimeEstimate()> estimate;  // where a recipe decided, for one process
  bool begins = false;                     // nothing of the training is there yet
};

// The clips that a recipe is decided for.
struct Division {
  const data::Dataset& dataset;
  const data::Split& split;  // the first of them where there are folds
  std::int64_t folds = 1;
};

// Whether the settings that were left open are a recipe's to decide. Throws: Error(kUsage) for a recipe beside a --config or a network
// of one's own.
bool has_recipe(const TrainRequest& request);

// A recipe that is a file is in the request's place of options and stages then, as a --config is. To be called before the clips are loaded.
// Throws: Error(kUsage) where it is no file.
TrainRequest with_file(const TrainRequest& request);

// "model.recipe.toml" beside the model, or "recipe.toml" in the folder of folds: what was decided, as --config takes it. A training that
// is gone on with takes it from there.
std::string recipe_path(const TrainRequest& request);

// The team with a trainer that says what is left, where a recipe decided. `folds` such trainings follow one another.
class PacedTeam {
 public:
  PacedTeam(const Settled& settled, std::int64_t folds, const Team& team, const TrainHooks& hooks);
  const Team& team() const { return team_; }

 private:
  std::optional<PacedTrainer> trainer_;
  Team team_;
};

// Decides, by whoever leads, and tells of it; what was decided before is taken, where a training is gone on with. All arguments have to outlive what is
// returned. Throws: Error(kUsage), Error(kInterrupted).
Settled settle(const TrainRequest& request, const Division& division, const Team& team, const TrainHooks& hooks);

}  // namespace actio::training
