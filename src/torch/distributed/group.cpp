#include "torch/distributed/group.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <type_traits>

#include "core/error.h"
#include "torch/distributed/c10d_compat.h"
#include "torch/distributed/rendezvous.h"
#include "training/ranks/signal.h"
#include "training/ranks/watch.h"
#include "torch/graph/torch_compat.h"

namespace actio::torch_train::distributed {

using namespace training::ranks;
namespace {

using std::chrono::milliseconds;

// A backend's threads may be stuck in a call to a rank that is gone; taking the backend down would wait for them.
void keep_until_exit(BackendPtr backend) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<BackendPtr>;
  const std::lock_guard lock(mutex);
  kept->push_back(std::move(backend));
}

// What Gloo adds up: contiguous, on the CPU, in f32 where the type is shorter.
at::Tensor staged(const at::Tensor& tensor, bool on_cpu_only) {
  const bool is_short = tensor.scalar_type() == at::kBFloat16 || tensor.scalar_type() == at::kHalf;
  at::Tensor copy = is_short && on_cpu_only ? tensor.to(at::kFloat) : tensor;
  if (on_cpu_only) copy = copy.to(at::kCPU);
  return copy.contiguous();
}

std::string own_address(const GroupOptions& options) {
  if (!options.address.empty()) return options.address;
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  return interface != nullptr && *interface != '\0' ? address_of_interface(interface) : std::string();
}

// Runs `work` on a thread of its own, because it may wait for other ranks without end, and calls `check` until it is done.
template <typename Work, typename Check>
auto run_apart(Work work, Check check) {
  struct Result {
    Signal done;
    std::optional<std::invoke_result_t<Work>> value;
    std::exception_ptr problem;
  };
  const auto result = std::make_shared<Result>();
  std::thread([result, work = std::move(work)] {
    try {
      result->value = work();
    } catch (...) {
      result->problem = std::current_exception();
    }
    result->done.set();
  }).detach();
  while (!result->done.wait_for(milliseconds(100))) check();
  if (result->problem) std::rethrow_exception(result->problem);
  return std::move(*result->value);
}

}  // namespace

struct Pending::State {
  WorkPtr work;
  std::shared_ptr<Signal> signal;  // none: the backend is asked
  at::Tensor target, buffer;
  std::string what;
  Group::Impl* group = nullptr;
};

struct Group::Impl {
  explicit Impl(const Launch& l, const GroupOptions& o) : launch(l), options(o) {}
  ~Impl();

  void connect();
  void make_backends(const Meeting& meeting);
  void stop_if_interrupted() const;
  void tell_of_waiting() const;
  void check();
  void run(const std::string& what, const std::function<WorkPtr()>& start);
  Pending start(Backend& backend, const std::string& what, const std::function<WorkPtr()>& begin);
  void wait(Pending::State& state);
  [[noreturn]] void stop_with(const std::string& verdict);
  [[noreturn]] void explain(const std::string& what, const std::exception& error);

  const Launch launch;
  const GroupOptions options;
  std::vector<std::string> names;
  StorePtr store;        // until all ranks are connected
  BackendPtr main, aside;  // of start_all_reduce_sum()
  bool nccl = false;       // aside
  std::unique_ptr<Watch> watch;
  std::atomic<bool> failed{false};
  std::shared_ptr<std::atomic<int>> open = std::make_shared<std::atomic<int>>(0);  // works that are not over
  std::string left;
  const int exceptions = std::uncaught_exceptions();
};

Group::Impl::~Impl() {
  if (!watch) return;
  const bool unwinding = std::uncaught_exceptions() > exceptions;
  const std::string verdict = watch->verdict();
  watch->leave(!left.empty() ? left : !verdict.empty() ? verdict : unwinding ? "an error ended it" : "");
  if (failed || unwinding || !left.empty() || *open > 0) {
    for (BackendPtr& backend : {std::ref(main), std::ref(aside)}) {
      if (backend) keep_until_exit(std::move(backend));
    }
  } else if (aside) {
    close(*aside);
  }
}

void Group::Impl::connect() {
  const auto gather = [launch = launch, address = own_address(options), limit = options.connect_timeout] {
    Meeting meeting = meet(launch, address, limit);
    std::vector<Watch::Peer> peers = connect_for_watch(launch, meeting, limit);
    return std::pair(std::move(meeting), std::move(peers));
  };
  const auto start = std::chrono::steady_clock::now();
  auto [meeting, peers] = run_apart(gather, [this, start, told = false]() mutable {
    stop_if_interrupted();
    if (told || std::chrono::steady_clock::now() - start < std::chrono::seconds(2)) return;
    told = true;
    tell_of_waiting();
  });
  names = meeting.names;
  store = meeting.store;
  watch = std::make_unique<Watch>(launch.rank, names, std::move(peers), options.silence_limit);
  make_backends(meeting);
}

void Group::Impl::stop_if_interrupted() const {
  if (!options.stop.stop_requested()) return;
  fail(ErrorCode::kInterrupted, "rank {} of {}: interrupted before all ranks had come to {}:{}", launch.rank, launch.size,
       launch.host, launch.port);
}

void Group::Impl::tell_of_waiting() const {
  if (!options.on_waiting) return;
  options.on_waiting(fmt::format("rank {} of {} waits for the others at {}:{}, for {} s at most", launch.rank, launch.size, launch.host,
                                 launch.port, options.connect_timeout.count()));
}

void Group::Impl::make_backends(const Meeting& meeting) {
  const auto make = [meeting, size = launch.size, rank = launch.rank, by_nccl = nccl, limit = options.collective_timeout] {
    BackendPtr gloo = make_gloo(meeting.store, {rank, size, "main", meeting.address, limit});
    const BackendPlace place{rank, size, "aside", meeting.address, limit};
    BackendPtr other = by_nccl ? make_nccl(meeting.store, place) : make_gloo(meeting.store, place);
    return std::pair(std::move(gloo), std::move(other));
  };
  const auto deadline = std::chrono::steady_clock::now() + options.connect_timeout;
  const auto check_peers = [&] {
    stop_if_interrupted();
    if (watch->is_broken()) stop_with(watch->verdict());
    if (std::chrono::steady_clock::now() > deadline) {
      fail("{}: the ranks have met, but cannot connect to each other from {}", names[static_cast<std::size_t>(launch.rank)],
           meeting.address);
    }
  };
  try {
    std::tie(main, aside) = run_apart(make, check_peers);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    explain("connecting", error);
  }
}

void Group::Impl::check() {
  if (watch && watch->is_broken()) stop_with(watch->verdict());
}

void Group::Impl::stop_with(const std::string& verdict) {
  failed = true;
  fail("{}", verdict);
}

// A connection that breaks is noticed by Gloo and by the watch; which of them is first is chance, and only the latter knows
// what happened.
void Group::Impl::explain(const std::string& what, const std::exception& error) {
  failed = true;
  const bool somebody_left = !watch->departure().empty();
  const std::string verdict =
      watch->wait_for_verdict(somebody_left ? milliseconds(1000) : options.silence_limit + milliseconds(2000));
  if (!verdict.empty()) fail("{}", verdict);
  const std::string& me = names[static_cast<std::size_t>(launch.rank)];
  if (const std::string departure = watch->departure(); !departure.empty()) fail("{}, but {} goes on", departure, me);
  fail("{}: {}: {}", me, what, one_line(error));
}

Pending Group::Impl::start(Backend& backend, const std::string& what, const std::function<WorkPtr()>& begin) {
  check();
  if (failed) fail("{}: {} after the group has failed", names[static_cast<std::size_t>(launch.rank)], what);
  Pending pending;
  pending.state_ = std::make_shared<Pending::State>();
  pending.state_->what = what;
  pending.state_->group = this;
  try {
    pending.state_->work = begin();
  } catch (const std::exception& error) {
    explain(what, error);
  }
  if (&backend == aside.get() && nccl) return pending;
  ++*open;
  const auto signal = std::make_shared<Signal>();
  call_when_done(pending.state_->work, [signal, count = open] {
    --*count;
    signal->set();
  });
  pending.state_->signal = signal;
  return pending;
}

void Group::Impl::wait(Pending::State& state) {
  const auto is_over = [&] {
    if (state.signal) return state.signal->wait_for(milliseconds(100));
    if (state.work->isCompleted()) return true;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    return false;
  };
  while (!is_over()) check();
  try {
    state.work->wait();
  } catch (const std::exception& error) {
    explain(state.what, error);
  }
}

void Group::Impl::run(const std::string& what, const std::function<WorkPtr()>& begin) {
  const Pending pending = start(*main, what, begin);
  wait(*pending.state_);
}

void Pending::wait() {
  if (!state_) return;
  const std::shared_ptr<State> state = std::move(state_);
  state->group->wait(*state);
  if (!state->target.is_same(state->buffer)) {
    const at::NoGradGuard guard;
    state->target.copy_(state->buffer);
  }
}

bool Pending::is_done() const {
  return !state_ || (state_->signal ? state_->signal->is_set() : state_->work->isCompleted());
}

Group::Group(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Group::~Group() = default;

std::unique_ptr<Group> Group::connect(const GroupOptions& options) {
  return connect(options, find_launch([](const char* name) { return static_cast<const char*>(std::getenv(name)); }));
}

std::unique_ptr<Group> Group::connect(const GroupOptions& options, const Launch& launch) {
  if (options.backend != "gloo" && options.backend != "nccl") {
    fail_usage("backend '{}' is unknown; known: gloo, nccl", options.backend);
  }
  auto impl = std::make_unique<Impl>(launch, options);
  impl->nccl = options.backend == "nccl";
  if (launch.size > 1) {
    impl->connect();
  } else {
    impl->names = {fmt::format("rank 0 of 1 ({})", host_name())};
  }
  std::unique_ptr<Group> group(new Group(std::move(impl)));
  group->barrier();
  if (!group->impl_->nccl) group->impl_->store.reset();  // NCCL connects later
  return group;
}

bool Group::has_nccl() { return distributed::has_nccl(); }

int Group::rank() const { return impl_->launch.rank; }
int Group::size() const { return impl_->launch.size; }
int Group::local_rank() const { return impl_->launch.local_rank; }
std::string Group::name(int rank) const { return impl_->names.at(static_cast<std::size_t>(rank)); }

void Group::all_reduce_sum(const at::Tensor& tensor) {
  if (size() == 1 || tensor.numel() == 0) return;
  const at::NoGradGuard guard;
  const at::Tensor buffer = staged(tensor, true);
  impl_->run("all-reduce", [&] { return start_all_reduce(*impl_->main, buffer); });
  if (!buffer.is_same(tensor)) tensor.copy_(buffer);
}

Pending Group::start_all_reduce_sum(const at::Tensor& tensor) {
  if (size() == 1 || tensor.numel() == 0) return {};
  const at::NoGradGuard guard;
  const at::Tensor buffer = staged(tensor, !impl_->nccl);
  Pending pending =
      impl_->start(*impl_->aside, "all-reduce", [&] { return start_all_reduce(*impl_->aside, buffer); });
  pending.state_->target = tensor;
  pending.state_->buffer = buffer;
  return pending;
}

void Group::broadcast(const at::Tensor& tensor, int root) {
  if (root < 0 || root >= size()) fail_usage("broadcast: rank {} is none of the {} ranks", root, size());
  if (size() == 1 || tensor.numel() == 0) return;
  const at::NoGradGuard guard;
  // As bytes, which exist in every type.
  at::Tensor buffer = tensor.to(at::kCPU).contiguous();
  at::Tensor bytes = at::from_blob(buffer.data_ptr(), {static_cast<std::int64_t>(buffer.nbytes())}, at::kByte);
  impl_->run("broadcast", [&] { return start_broadcast(*impl_->main, bytes, root); });
  if (!buffer.is_same(tensor)) tensor.copy_(buffer);
}

at::Tensor Group::all_gather(const at::Tensor& tensor) {
  const at::NoGradGuard guard;
  if (size() == 1 || tensor.numel() == 0) return at::stack(std::vector(static_cast<std::size_t>(size()), tensor));
  const at::Tensor mine = tensor.to(at::kCPU).contiguous();
  std::vector<at::Tensor> all;
  for (int i = 0; i < size(); ++i) all.push_back(at::empty_like(mine));
  impl_->run("all-gather", [&] { return start_all_gather(*impl_->main, mine, all); });
  return at::stack(all).to(tensor.device());
}

std::vector<std::string> Group::all_gather(std::string_view bytes) {
  if (size() == 1) return {std::string(bytes)};
  const at::Tensor sizes = all_gather(at::full({1}, static_cast<std::int64_t>(bytes.size()), at::kLong));
  const std::int64_t longest = sizes.max().item<std::int64_t>();
  std::vector<std::string> texts(static_cast<std::size_t>(size()));
  if (longest == 0) return texts;
  const at::Tensor mine = at::zeros({longest}, at::kByte);
  std::memcpy(mine.data_ptr(), bytes.data(), bytes.size());
  const at::Tensor all = all_gather(mine);
  for (int rank = 0; rank < size(); ++rank) {
    texts[static_cast<std::size_t>(rank)].assign(static_cast<const char*>(all.data_ptr()) + rank * longest,
                                                 static_cast<std::size_t>(sizes[rank].item<std::int64_t>()));
  }
  return texts;
}

void Group::barrier() { all_reduce_sum(at::zeros({1})); }

void Group::require_same(std::string_view what, std::string_view value) {
  const std::vector<std::string> all = all_gather(value);
  for (int rank = 1; rank < size(); ++rank) {
    if (all[static_cast<std::size_t>(rank)] != all[0]) fail_usage("{}: {} differs from that of rank 0", name(rank), what);
  }
}

void Group::check() const { impl_->check(); }

void Group::leave(const std::string& reason) {
  if (!impl_->watch) return;
  impl_->left = reason;
  if (!reason.empty()) impl_->failed = true;
  impl_->watch->leave(reason);
}

void broadcast_all(Group& group, const std::vector<at::Tensor>& tensors, int root) {
  if (group.size() == 1) return;
  const at::NoGradGuard guard;
  std::map<at::ScalarType, std::vector<at::Tensor>> by_type;
  for (const at::Tensor& tensor : tensors) by_type[tensor.scalar_type()].push_back(tensor);
  for (const auto& [type, list] : by_type) {
    std::vector<at::Tensor> flat;
    for (const at::Tensor& tensor : list) flat.push_back(tensor.reshape({-1}));
    const at::Tensor all = at::cat(flat);
    group.broadcast(all, root);
    std::int64_t first = 0;
    for (const at::Tensor& tensor : list) {
      tensor.copy_(all.narrow(0, first, tensor.numel()).view(tensor.sizes()));
      first += tensor.numel();
    }
  }
}

}  // namespace actio::torch_train::distributed
