#include "torch/distributed/c10d_compat.h"

// c10d's headers of a backend include those of its library; cmake/Torch.cmake says where they are.
#if defined(USE_C10D_GLOO) && __has_include(<gloo/rendezvous/store.h>)
#define ACTIO_HAS_GLOO
#endif
#if defined(USE_C10D_NCCL) && __has_include(<nccl.h>)
#define ACTIO_HAS_NCCL
#endif

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#ifdef ACTIO_HAS_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#ifdef ACTIO_HAS_NCCL
#include <nccl.h>
#include <torch/csrc/cuda/nccl.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <cstdlib>

#include "core/error.h"

namespace actio::torch_train::distributed {

using namespace training::ranks;
namespace {

#ifdef ACTIO_HAS_GLOO
#if TORCH_VERSION_MAJOR >= 2
using Gloo = c10d::ProcessGroupGloo;
void forget_store(Gloo&) {}
#else
// The store is of use only until the ranks are connected; a store whose server is gone keeps a thread of 1.13 spinning.
class Gloo final : public c10d::ProcessGroupGloo {
 public:
  using c10d::ProcessGroupGloo::ProcessGroupGloo;
  friend void forget_store(Gloo& gloo) { gloo.store_.reset(); }
};
#endif
#endif

#ifdef ACTIO_HAS_NCCL
// Parts of c10d's classes are declared by NCCL.
void check_nccl_version() {
  const std::uint64_t version = torch::cuda::nccl::version();
  const auto major = version >> 32, minor = version >> 16 & 0xffff;
  if (major == NCCL_MAJOR && minor == NCCL_MINOR) return;
  fail("this build was made with the header of NCCL {}.{}, but LibTorch has {}.{}", NCCL_MAJOR, NCCL_MINOR, major, minor);
}
#endif

}  // namespace

StorePtr open_store(const Launch& launch, std::chrono::milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = launch.port;
  options.isServer = launch.rank == 0;
  options.waitWorkers = false;
  options.timeout = timeout;
  StorePtr store = c10::make_intrusive<c10d::TCPStore>(launch.host, options);
  return c10::make_intrusive<c10d::PrefixStore>("actio", store);
}

std::string get_from(const StorePtr& store, const std::string& key, std::chrono::milliseconds timeout) {
  store->wait({key}, timeout);
  const std::vector<std::uint8_t> bytes = store->get(key);
  return {bytes.begin(), bytes.end()};
}

void set_in(const StorePtr& store, const std::string& key, const std::string& value) {
  store->set(key, std::vector<std::uint8_t>(value.begin(), value.end()));
}

BackendPtr make_gloo([[maybe_unused]] const StorePtr& store, [[maybe_unused]] const BackendPlace& place) {
#ifdef ACTIO_HAS_GLOO
  auto options = c10d::ProcessGroupGloo::Options::create(place.timeout);
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(place.address));
  options->threads = 2;
  const StorePtr keys = c10::make_intrusive<c10d::PrefixStore>(place.name, store);
  auto gloo = c10::make_intrusive<Gloo>(keys, place.rank, place.size, options);
  forget_store(*gloo);
  return gloo;
#else
  fail_usage("this build trains in one process only: it was made without the headers of Gloo (libgloo-dev)");
#endif
}

bool has_nccl() {
#ifdef ACTIO_HAS_NCCL
  return true;
#else
  return false;
#endif
}

BackendPtr make_nccl([[maybe_unused]] const StorePtr& store, [[maybe_unused]] const BackendPlace& place) {
#ifdef ACTIO_HAS_NCCL
  check_nccl_version();
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = place.timeout;
  const StorePtr keys = c10::make_intrusive<c10d::PrefixStore>(place.name, store);
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(keys, place.rank, place.size, options);
#else
  fail_usage("backend: this build has no nccl; known: gloo");
#endif
}

void close([[maybe_unused]] Backend& backend) {
#ifdef ACTIO_HAS_NCCL
  if (auto* nccl = dynamic_cast<c10d::ProcessGroupNCCL*>(&backend)) nccl->shutdown();
#endif
}

WorkPtr start_all_reduce(Backend& backend, const at::Tensor& tensor) {
  std::vector<at::Tensor> tensors{tensor};
  return backend.allreduce(tensors);
}

WorkPtr start_broadcast(Backend& backend, const at::Tensor& tensor, int root) {
  std::vector<at::Tensor> tensors{tensor};
  c10d::BroadcastOptions options;
  options.rootRank = root;
  return backend.broadcast(tensors, options);
}

WorkPtr start_all_gather(Backend& backend, const at::Tensor& mine, std::vector<at::Tensor>& all) {
  std::vector<std::vector<at::Tensor>> outputs{all};
  std::vector<at::Tensor> inputs{mine};
  return backend.allgather(outputs, inputs);
}

bool call_when_done(const WorkPtr& work, std::function<void()> done) {
  const auto future = work->getFuture();
  if (!future) return false;
  future->addCallback([done = std::move(done)](c10::ivalue::Future&) { done(); });
  return true;
}

}  // namespace actio::torch_train::distributed
