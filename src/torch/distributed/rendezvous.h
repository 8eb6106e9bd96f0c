// torch/distributed: how the ranks find each other. In: where they meet. Out: the store they met in, everybody's name, this
// machine's address, and the connections that Watch needs.
#pragma once

#include <string>
#include <vector>

#include "torch/distributed/c10d_compat.h"
#include "training/ranks/launch.h"
#include "training/ranks/sockets.h"
#include "training/ranks/watch.h"

namespace actio::torch_train::distributed {

using training::ranks::Launch;
using training::ranks::Watch;

struct Meeting {
  StorePtr store;
  std::vector<std::string> names;  // "rank 1 of 2 (node7)"
  std::string address;             // of this machine, reachable from the others
};

// Waits until every rank has come. `address`: empty, or this machine's where the user says which.
// Throws: Error naming the rank that did not come, or the address that does not answer; Error(kUsage) where two processes
// were started as the same rank or with different numbers of ranks.
Meeting meet(const Launch& launch, const std::string& address, std::chrono::seconds timeout);

// Connects rank 0 with all others.
std::vector<Watch::Peer> connect_for_watch(const Launch& launch, const Meeting& meeting, std::chrono::seconds timeout);

}  // namespace actio::torch_train::distributed
