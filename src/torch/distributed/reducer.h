// torch/distributed: the mean of the gradients over the ranks, made while backward() still runs. In: parameters whose
// gradients arrive one by one. Out: the same gradients on every rank.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "torch/distributed/group.h"

namespace actio::torch_train::distributed {

constexpr std::int64_t kBucketBytes = std::int64_t{8} << 20;

// Gradients are copied into buckets, from the last parameter to the first, as backward() makes them; the sum of a bucket
// over the ranks starts as soon as it and those before it are full. The order of the sums does not depend on the order of
// arrival, and a parameter without a gradient counts as zero, so the ranks cannot get out of step. Does nothing in a group
// of one.
// Threads: one at a time, but for the gradients, which may arrive on any thread.
class Reducer {
 public:
  // `parameters`: leaves that require gradients, the same on all ranks, in the order of the forward pass.
  // The group must live longer.
  Reducer(Group& group, std::vector<at::Tensor> parameters, std::int64_t bucket_bytes = kBucketBytes);
  ~Reducer();
  Reducer(const Reducer&) = delete;
  Reducer& operator=(const Reducer&) = delete;

  // Off: backward() adds to the gradients of this rank alone, which the next backward() with it on includes.
  void set_enabled(bool enabled);

  // After backward(): waits, and puts the means in the place of the gradients. A gradient that no rank has stays undefined.
  // Throws: Error as Group's members.
  void finish();

  std::int64_t buckets() const;
  std::int64_t early_sums() const;  // in the last step, started while gradients were still to come

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the hooks
};

}  // namespace actio::torch_train::distributed
