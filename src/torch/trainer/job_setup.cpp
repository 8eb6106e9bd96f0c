#include "torch/trainer/job_setup.h"

#include <algorithm>

#include "core/cores.h"
#include "core/error.h"
#include "torch/distributed/group.h"
#include "torch/graph/torch_compat.h"

namespace actio::torch_train {

GraphOptions graph_options(const TrainJob& job) {
  GraphOptions graph;
  graph.device = find_device(job.options.device, job.group == nullptr ? 0 : job.group->local_rank());
  if (graph.device.is_cuda()) set_up_cuda(job.options.tf32);
  return graph;
}

void set_up_threads(const TrainJob& job) {
  std::int64_t threads = job.options.threads;
  if (threads == 0 && job.group != nullptr) {
    const std::string own = core_set();
    threads = std::max<std::int64_t>(1, core_count() / std::ranges::count(job.group->all_gather(own), own));
  }
  set_thread_count(threads);
}

}  // namespace actio::torch_train
