// runtime: folded weights in the layouts that primitives asked for, shared by the plans of one network. In: how each is made of the model's tensors. Out:
// memory that is filled in one go, several nodes at once.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "runtime/onednn_compat.h"
#include "runtime/pages.h"

namespace actio::runtime {

class WeightStore {
 public:
  explicit WeightStore(const dnnl::engine& engine) : engine_(engine) {}

  // The tensor `key` in layout `wanted`; `make` gives it row-major as `plain` when it is needed for the first time.
  template <typename Make>
  dnnl::memory get(const std::string& key, const Desc& plain, const Desc& wanted, Make make) {
    if (const dnnl::memory* known = find(key, wanted)) return *known;
    const dnnl::memory made = add(key, wanted);
    reorder(make(), plain, made);
    return made;
  }

  // The same, but its content comes with fill(): a node's in the order in which they were asked for, so that a later one may use what an earlier one noted.
  // `make` is called then, from any thread.
  using Make = std::function<Tensor(const TensorMap&)>;
  dnnl::memory later(const std::string& node, const std::string& key, const Desc& plain, const Desc& wanted, Make make);
  std::shared_ptr<std::vector<float>> note(const std::string& key);

  // Numbers of each channel, such as the scales of a weight in 8 bits; `make` gives them when they are needed for the first time.
  template <typename Make>
  const std::vector<float>& numbers(const std::string& key, Make make) {
    const auto known = numbers_.find(key);
    return known != numbers_.end() ? known->second : numbers_.emplace(key, make()).first->second;
  }

  // Lets go of the weight of each node that asked for something once it is used: a tensor that nobody else holds gives its memory back.
  void fill(TensorMap weights, int threads);

  std::size_t bytes() const { return bytes_; }

 private:
  struct Job {
    Desc plain;
    dnnl::memory memory;
    Make make;
  };
  struct Jobs {
    std::string node;
    std::vector<Job> list;
  };

  const dnnl::memory* find(const std::string& key, const Desc& wanted) const;
  dnnl::memory add(const std::string& key, const Desc& wanted);
  void reorder(Tensor tensor, const Desc& plain, const dnnl::memory& to) const;

  dnnl::engine engine_;
  Pool pool_;
  std::size_t bytes_ = 0;
  std::map<std::string, std::vector<dnnl::memory>> known_;
  std::map<std::string, std::vector<float>> numbers_;
  std::map<std::string, std::shared_ptr<std::vector<float>>> notes_;
  std::vector<Jobs> jobs_;  // by node, in the order of the first of each
};

}  // namespace actio::runtime
