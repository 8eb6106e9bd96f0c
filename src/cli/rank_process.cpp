#include "cli/rank_process.h"

#include <csignal>
#include <cstdlib>
#include <initializer_list>

namespace actio::cli {

void prepare_rank_process() {
  struct sigaction present {};
  if (sigaction(SIGPIPE, nullptr, &present) == 0 && present.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
  for (const char* name : {"TORCH_NCCL_ASYNC_ERROR_HANDLING", "NCCL_ASYNC_ERROR_HANDLING"}) setenv(name, "0", 0);
}

}  // namespace actio::cli
