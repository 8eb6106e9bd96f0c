#include "torch/distributed/reducer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <mutex>

#include "core/error.h"

namespace actio::torch_train::distributed {

using namespace training::ranks;

struct Reducer::State {
  struct Bucket {
    std::vector<std::size_t> members;  // indices of parameters
    std::vector<std::int64_t> offsets;
    at::Tensor flat;  // the gradients, then for each member whether it has one
    std::size_t missing = 0;
    Pending sum;
  };

  struct Entry {
    at::Tensor parameter;
    decltype(torch::autograd::impl::grad_accumulator(at::Tensor())) accumulator;  // lives only as long as somebody holds it
    std::uintptr_t hook = 0;
    std::size_t bucket = 0, place = 0;
    bool arrived = false;
  };

  State(Group& g, std::vector<at::Tensor> parameters, std::int64_t bucket_bytes);
  void add_to_bucket(std::size_t index, std::int64_t bucket_bytes, std::vector<std::int64_t>& sizes);
  void arrive(std::size_t index);
  void fill(std::size_t index);
  void start_full();
  void write_back(Bucket& bucket);
  void finish();

  Group& group;
  std::vector<Entry> entries;
  std::vector<Bucket> buckets;
  std::mutex mutex;
  std::size_t next = 0;     // the first bucket whose sum is not started
  std::size_t to_come = 0;  // gradients
  std::int64_t early = 0, last_early = 0;
  bool enabled = true;
};

Reducer::State::State(Group& g, std::vector<at::Tensor> parameters, std::int64_t bucket_bytes) : group(g) {
  if (bucket_bytes < 1) fail_usage("reducer: a bucket must have 1 byte or more, got {}", bucket_bytes);
  for (at::Tensor& parameter : parameters) {
    if (!parameter.is_leaf() || !parameter.requires_grad()) fail("reducer: a parameter is no leaf that requires a gradient");
    entries.push_back({std::move(parameter), {}, 0, 0, 0, false});
  }
  if (group.size() == 1) return;
  std::vector<std::int64_t> sizes;
  for (std::size_t i = entries.size(); i-- > 0;) add_to_bucket(i, bucket_bytes, sizes);
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    const at::Tensor& first = entries[buckets[b].members[0]].parameter;
    buckets[b].missing = buckets[b].members.size();
    buckets[b].flat = at::zeros({sizes[b] + static_cast<std::int64_t>(buckets[b].missing)}, first.options());
  }
  to_come = entries.size();
}

// Into the last one, where it is of the same type and has room.
void Reducer::State::add_to_bucket(std::size_t index, std::int64_t bucket_bytes, std::vector<std::int64_t>& sizes) {
  Entry& entry = entries[index];
  const std::int64_t bytes = static_cast<std::int64_t>(entry.parameter.nbytes());
  const auto fits = [&] {
    const at::Tensor& other = entries[buckets.back().members[0]].parameter;
    return other.scalar_type() == entry.parameter.scalar_type() && other.device() == entry.parameter.device() &&
           sizes.back() * entry.parameter.element_size() + bytes <= bucket_bytes;
  };
  if (buckets.empty() || !fits()) {
    buckets.emplace_back();
    sizes.push_back(0);
  }
  entry.bucket = buckets.size() - 1;
  entry.place = buckets.back().members.size();
  buckets.back().members.push_back(index);
  buckets.back().offsets.push_back(sizes.back());
  sizes.back() += entry.parameter.numel();
}

void Reducer::State::arrive(std::size_t index) {
  const std::lock_guard lock(mutex);
  if (!enabled) return;
  if (entries[index].arrived) fail("reducer: a second backward() before finish(), with the summing on");
  const at::NoGradGuard guard;
  fill(index);
  start_full();
}

void Reducer::State::fill(std::size_t index) {
  Entry& entry = entries[index];
  Bucket& bucket = buckets[entry.bucket];
  const at::Tensor place = bucket.flat.narrow(0, bucket.offsets[entry.place], entry.parameter.numel());
  const std::int64_t flags = bucket.flat.numel() - static_cast<std::int64_t>(bucket.members.size());
  const at::Tensor flag = bucket.flat.narrow(0, flags + static_cast<std::int64_t>(entry.place), 1);
  const at::Tensor& gradient = entry.parameter.grad();
  if (gradient.defined()) {
    place.view(entry.parameter.sizes()).copy_(gradient);
    flag.fill_(1);
  } else {
    place.zero_();
    flag.zero_();
  }
  entry.arrived = true;
  --bucket.missing;
  --to_come;
}

void Reducer::State::start_full() {
  for (; next < buckets.size() && buckets[next].missing == 0; ++next) {
    if (to_come > 0) ++early;
    buckets[next].sum = group.start_all_reduce_sum(buckets[next].flat);
  }
}

void Reducer::State::write_back(Bucket& bucket) {
  const std::int64_t flags = bucket.flat.numel() - static_cast<std::int64_t>(bucket.members.size());
  bucket.flat.narrow(0, 0, flags).div_(group.size());
  const at::Tensor counts = bucket.flat.narrow(0, flags, bucket.flat.numel() - flags).to(at::kCPU, at::kFloat);
  for (std::size_t i = 0; i < bucket.members.size(); ++i) {
    Entry& entry = entries[bucket.members[i]];
    entry.arrived = false;
    if (counts.data_ptr<float>()[i] == 0) continue;
    const at::Tensor mean = bucket.flat.narrow(0, bucket.offsets[i], entry.parameter.numel()).view(entry.parameter.sizes());
    at::Tensor& gradient = entry.parameter.mutable_grad();
    if (!gradient.defined()) gradient = at::empty_like(entry.parameter);
    gradient.copy_(mean);
  }
  bucket.missing = bucket.members.size();
}

void Reducer::State::finish() {
  const std::lock_guard lock(mutex);
  if (!enabled || buckets.empty()) return;
  const at::NoGradGuard guard;
  last_early = early;
  for (std::size_t i = entries.size(); i-- > 0;) {
    if (!entries[i].arrived) fill(i);
  }
  start_full();
  for (Bucket& bucket : buckets) {
    bucket.sum.wait();
    write_back(bucket);
  }
  next = 0;
  to_come = entries.size();
  early = 0;
}

Reducer::Reducer(Group& group, std::vector<at::Tensor> parameters, std::int64_t bucket_bytes)
    : state_(std::make_shared<State>(group, std::move(parameters), bucket_bytes)) {
  if (group.size() == 1) return;
  for (std::size_t i = 0; i < state_->entries.size(); ++i) {
    State::Entry& entry = state_->entries[i];
    entry.accumulator = torch::autograd::impl::grad_accumulator(entry.parameter);
    const std::weak_ptr<State> state = state_;
    const auto hook = [state, i](const std::vector<at::Tensor>& outputs, const std::vector<at::Tensor>&) {
      if (const auto alive = state.lock()) alive->arrive(i);
      return outputs;
    };
    entry.hook = entry.accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(hook));
  }
}

Reducer::~Reducer() {
  for (State::Entry& entry : state_->entries) {
    if (entry.accumulator) entry.accumulator->del_post_hook(entry.hook);
  }
}

void Reducer::set_enabled(bool enabled) {
  const std::lock_guard lock(state_->mutex);
  state_->enabled = enabled;
}

void Reducer::finish() { state_->finish(); }
std::int64_t Reducer::buckets() const { return static_cast<std::int64_t>(state_->buckets.size()); }
std::int64_t Reducer::early_sums() const { return state_->last_early; }

}  // namespace actio::torch_train::distributed
