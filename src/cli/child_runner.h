// cli: trains and tests the rows of a reproduction by this system's programs, as children. In: work. Out: its files.
#pragma once

#include "training/reproduce/runner.h"

namespace actio::cli {

class ChildRunner final : public training::Runner {
 public:
  void train(const training::RowTraining& work) override;
  void evaluate(const training::RowEvaluation& work) override;
};

}  // namespace actio::cli
