// torch/distributed: what differs between the c10d of LibTorch 1.13 and of 2.x, and between builds with and without Gloo and
// NCCL, so that the other files need no version checks. In: addresses. Out: stores and backends.
#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>
#include <torch/version.h>
#if TORCH_VERSION_MAJOR >= 2
#include <torch/csrc/distributed/c10d/Backend.hpp>
#else
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#endif

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "training/ranks/launch.h"

namespace actio::torch_train::distributed {

using training::ranks::Launch;

#if TORCH_VERSION_MAJOR >= 2
using Backend = c10d::Backend;
#else
using Backend = c10d::ProcessGroup;
#endif
using StorePtr = c10::intrusive_ptr<c10d::Store>;
using BackendPtr = c10::intrusive_ptr<Backend>;
using WorkPtr = c10::intrusive_ptr<c10d::Work>;

// Connects to the store in which the ranks meet; rank 0 opens it, unless the launcher has.
StorePtr open_store(const Launch& launch, std::chrono::milliseconds timeout);

// The value of a key that another rank sets. Throws: c10d's error once the time is over.
std::string get_from(const StorePtr& store, const std::string& key, std::chrono::milliseconds timeout);
void set_in(const StorePtr& store, const std::string& key, const std::string& value);

struct BackendPlace {
  int rank = 0, size = 1;
  std::string name;     // the store's keys of this backend begin with it
  std::string address;  // this machine's, for Gloo's connections
  std::chrono::milliseconds timeout{};
};

bool has_nccl();

// Throws: Error(kUsage) where this build has no such backend.
BackendPtr make_gloo(const StorePtr& store, const BackendPlace& place);
BackendPtr make_nccl(const StorePtr& store, const BackendPlace& place);

// When all ranks have finished with it, before it is destroyed.
void close(Backend& backend);

WorkPtr start_all_reduce(Backend& backend, const at::Tensor& tensor);
WorkPtr start_broadcast(Backend& backend, const at::Tensor& tensor, int root);
WorkPtr start_all_gather(Backend& backend, const at::Tensor& mine, std::vector<at::Tensor>& all);

// Calls `done` once the work is over, well or not, from any thread; false where the backend cannot do so.
bool call_when_done(const WorkPtr& work, std::function<void()> done);

}  // namespace actio::torch_train::distributed
