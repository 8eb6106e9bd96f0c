// api: what a public TrainSpec holds: the library's own, the stages of its file, and what was set since.
#pragma once

#include <actio/train.h>

#include <string>
#include <vector>

#include "training/spec.h"

namespace actio {

struct TrainSpec::Impl {
  training::TrainSpec spec;
  std::vector<training::Stage> stages;
  std::vector<Setting> settings;  // win over the stages
  std::string file;               // empty: none
};

struct TrainSpecAccess {
  static const TrainSpec::Impl& impl(const TrainSpec& spec) { return *spec.impl_; }
};

}  // namespace actio
