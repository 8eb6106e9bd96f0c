// training/ranks: which of the processes that train together this one is. In: the environment variables that a launcher
// (torchrun, Slurm, mpirun) sets. Out: a rank, how many there are, and where they meet.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace actio::training::ranks {

struct Launch {
  std::string launcher;  // "torchrun", "Slurm", "Open MPI", "MPI"; empty: none
  int rank = 0;
  int size = 1;
  int local_rank = 0;  // among the processes on this machine: which of its devices to use
  std::string host;    // where rank 0 opens the store in which the ranks find each other; empty in a group of one
  std::uint16_t port = 0;
};

// As std::getenv: null where a variable is not set.
using Environment = std::function<const char*(const char*)>;

// A group of one where no launcher speaks.
// Throws: Error(kUsage) naming a variable and its value, where they are half set or contradict each other.
Launch find_launch(const Environment& environment);

// The first machine of a Slurm node list: "gpu-[007-009,12],login" is "gpu-007".
std::string first_slurm_host(const std::string& list);

}  // namespace actio::training::ranks
