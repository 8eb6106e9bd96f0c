// cli: what a process needs that trains together with others. In: nothing. Out: settings of the process.
#pragma once

namespace actio::cli {

// Broken connections become errors of writing, and NCCL's failures are told of instead of ending the process. What the environment or
// an earlier handler says wins. Call before torch_train::distributed::Group::connect.
void prepare_rank_process();

}  // namespace actio::cli
