// torch: a network's answers to clips. In: a graph and a source of batches. Out: scores and how right they are.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "training/batch_source.h"
#include "torch/graph/graph.h"
#include "torch/trainer/job.h"

namespace actio::torch_train {

struct TestPass {
  std::int64_t epoch = 1;                            // of the source
  std::stop_token stop;
  std::function<void(std::int64_t clips)> progress;  // clips done
  std::function<void()> check;                       // before every batch; may throw
  std::set<std::string> frozen_heads;                // whose loss does not count
};

// In f32 even after bf16 training: the model is deployed so. Empty where no clip could be read, or when told to stop.
std::optional<Answers> test(Graph& graph, BatchSource& source, const TestPass& pass);

}  // namespace actio::torch_train
