// torch: what a job's options make of this process. In: a job. Out: a device, threads.
#pragma once

#include "torch/graph/graph.h"
#include "torch/trainer/job.h"

namespace actio::torch_train {

// With the device's switches set. Throws: Error(kFailed) where the device cannot be used.
GraphOptions graph_options(const TrainJob& job);

// `threads`, or with 0 the cores that this process may use, divided among the ranks that may use the same ones. Collective.
void set_up_threads(const TrainJob& job);

}  // namespace actio::torch_train
