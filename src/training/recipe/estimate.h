// training: how long a training will take here. In: its stages. Out: seconds, from steps on some of the clips.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "training/request.h"
#include "training/train.h"

namespace actio::training {

struct StageTime {
  std::string network;  // NetSpec::name
  double seconds = 0;   // on the training clips of `split`
};

struct TimeEstimate {
  std::vector<StageTime> stages;  // one where the request has none
  std::int64_t trainings = 1;     // of all stages: the model's, and for its heads
  double inner_share = 1;         // clips of those for the heads, of all

  double seconds() const;
};

// Trains each stage's network from random weights on a few clips, for some steps: what is learned is thrown away. Networks of seldom
// seen sizes are slow in their first step, which does not count. Throws: as the trainer; Error(kInterrupted).
TimeEstimate estimate_time(const TrainRequest& request, const data::Dataset& dataset, const data::Split& split, Trainer& trainer,
                           const Hooks& hooks = {});

// "about 6 minutes", "about 40 seconds", "about 3 hours".
std::string duration_text(double seconds);

}  // namespace actio::training
