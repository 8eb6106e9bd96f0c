#include "runtime/weight_store.h"

#include <algorithm>
#include <utility>

#include "runtime/in_parallel.h"

namespace actio::runtime {

const dnnl::memory* WeightStore::find(const std::string& key, const Desc& wanted) const {
  const auto known = known_.find(key);
  if (known == known_.end()) return nullptr;
  const auto found = std::ranges::find_if(known->second, [&](const dnnl::memory& memory) { return memory.get_desc() == wanted; });
  return found == known->second.end() ? nullptr : &*found;
}

dnnl::memory WeightStore::add(const std::string& key, const Desc& wanted) {
  bytes_ += wanted.get_size();
  return known_[key].emplace_back(wanted, engine_, pool_.allocate(wanted.get_size()));
}

void WeightStore::reorder(Tensor tensor, const Desc& plain, const dnnl::memory& to) const {
  dnnl::memory from(plain, engine_, tensor.raw()), into = to;
  dnnl::stream stream(engine_);
  dnnl::reorder(from, into).execute(stream, from, into);
  stream.wait();
}

dnnl::memory WeightStore::later(const std::string& node, const std::string& key, const Desc& plain, const Desc& wanted, Make make) {
  if (const dnnl::memory* known = find(key, wanted)) return *known;
  const dnnl::memory made = add(key, wanted);
  auto jobs = std::ranges::find(jobs_, node, &Jobs::node);
  if (jobs == jobs_.end()) jobs = jobs_.insert(jobs, {node, {}});
  jobs->list.push_back({plain, made, std::move(make)});
  return made;
}

std::shared_ptr<std::vector<float>> WeightStore::note(const std::string& key) {
  std::shared_ptr<std::vector<float>>& note = notes_[key];
  if (!note) note = std::make_shared<std::vector<float>>();
  return note;
}

void WeightStore::fill(TensorMap weights, int threads) {
  const std::vector<Jobs> jobs = std::exchange(jobs_, {});
  in_parallel(threads, jobs.size(), [&](std::size_t i) {
    const ThreadScope scope(1);
    for (const Job& job : jobs[i].list) reorder(job.make(weights), job.plain, job.memory);
    if (const auto used = weights.find(jobs[i].node + ".weight"); used != weights.end()) used->second = Tensor();
  });
}

}  // namespace actio::runtime
