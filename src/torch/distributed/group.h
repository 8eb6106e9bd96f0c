// torch/distributed: the processes that train one network together. In: the environment that torchrun, Slurm or mpirun sets.
// Out: sums, copies and texts over all of them. A group of one does nothing and costs nothing.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "training/ranks/launch.h"
#include "training/peers.h"

namespace at {
class Tensor;
}

namespace actio::torch_train::distributed {

using training::ranks::Launch;

struct GroupOptions {
  std::string backend = "gloo";  // "nccl": gradients on CUDA devices by NCCL, all else by Gloo
  std::string address = "";      // this machine's, for the other ranks; empty: that of GLOO_SOCKET_IFNAME, else the one
                                 // on the way to rank 0
  std::chrono::seconds connect_timeout{300};
  std::chrono::seconds silence_limit{20};  // a rank of which nothing was heard for so long is gone
  std::chrono::seconds collective_timeout{4 * 3600};
  std::stop_token stop = {};  // ends the waiting for the other ranks
  // Told once, in one line, where the others have not come after two seconds.
  std::function<void(const std::string&)> on_waiting = {};
};

// A sum that was started. The tensor belongs to it until wait() returns.
class Pending {
 public:
  Pending() = default;
  void wait();  // Throws: Error as Group's members
  bool is_done() const;

 private:
  friend class Group;
  struct State;
  std::shared_ptr<State> state_;
};

// Every rank must call the same collective members in the same order with tensors of the same shape and type.
// Threads: one at a time, but for check(); start_all_reduce_sum() may be called beside the others, from one thread at a
// time.
// Throws: every collective member throws Error once a rank is gone, with a line that names it ("rank 1 of 2 (node7) is gone;
// ..."); the group is of no more use then.
class Group final : public training::Peers {
 public:
  // Waits for all ranks. The process has to ignore SIGPIPE, or to handle it: Gloo writes to connections whose other end is gone.
  // With "nccl" TORCH_NCCL_ASYNC_ERROR_HANDLING=0 belongs in the environment: else c10d itself ends the process where a rank is
  // gone, before anything can be said about it. Throws: Error(kUsage) for variables that contradict each other; Error naming the rank that did not
  // come or the address that does not answer; Error(kInterrupted).
  static std::unique_ptr<Group> connect(const GroupOptions& options = {});
  static std::unique_ptr<Group> connect(const GroupOptions& options, const Launch& launch);
  ~Group() override;

  // Whether this build knows the backend "nccl".
  static bool has_nccl();

  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  int rank() const override;
  int size() const override;
  int local_rank() const;             // among the ranks of this machine
  std::string name(int rank) const;  // "rank 1 of 2 (node7)"

  // In place, in the tensor's type; bfloat16 and half are added in f32. All ranks get the same bits.
  void all_reduce_sum(const at::Tensor& tensor);
  void broadcast(const at::Tensor& tensor, int root = 0);

  // Out: [size, ...], in the order of the ranks.
  at::Tensor all_gather(const at::Tensor& tensor);
  // Short texts: paths, figures.
  std::vector<std::string> all_gather(std::string_view bytes) override;
  void barrier() override;

  // A sum that goes on beside the caller, on connections of its own: it cannot be mistaken for one of the other members.
  Pending start_all_reduce_sum(const at::Tensor& tensor);

  // Throws where ranks hold different texts: "rank 1 of 2 (node7): the configuration differs from that of rank 0".
  void require_same(std::string_view what, std::string_view value) override;

  // Throws as the collectives do once a rank is gone. Costs nothing: for long work without collectives.
  void check() const override;

  // Tells the others why this rank stops, so that they can say it, too; they stop at their next collective. Only check() and
  // the destructor may follow. An empty reason: the work is done.
  void leave(const std::string& reason);

 private:
  friend class Pending;
  struct Impl;
  explicit Group(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Copies rank `root`'s tensors to all others, many at a time.
void broadcast_all(Group& group, const std::vector<at::Tensor>& tensors, int root = 0);

}  // namespace actio::torch_train::distributed
