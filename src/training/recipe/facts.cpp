#include "training/recipe/facts.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/cores.h"
#include "core/error.h"
#include "net/model_file.h"
#include "training/recipe/motion_bound.h"

namespace actio::training {
namespace {

template <class T>
T median(std::vector<T> values) {
  if (values.empty()) return T{};
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

void count_classes(const data::Split& split, const data::Dataset& dataset, DataFacts& facts) {
  std::map<std::string, std::set<std::string>> groups;
  std::set<std::string> all;
  for (const data::Item& item : split.train) {
    groups[item.label].insert(item.group);
    all.insert(item.group);
  }
  facts.clips = static_cast<std::int64_t>(split.train.size());
  facts.validation = static_cast<std::int64_t>(split.validation.size());
  facts.tests = static_cast<std::int64_t>(split.test.size());
  facts.groups = static_cast<std::int64_t>(all.size());
  facts.classes = static_cast<std::int64_t>(dataset.classes.size());
  facts.fewest_groups = facts.clips;
  for (const std::string& name : dataset.classes) {
    const auto of_class = static_cast<std::int64_t>(groups[name].size());
    if (of_class >= facts.fewest_groups) continue;
    facts.fewest_groups = of_class;
    facts.fewest_class = name;
  }
}

}  // namespace

DataFacts facts_of(const data::CheckReport& report, const data::Dataset& dataset, const data::Split& split, const data::ReadLimits& limits,
                   const Hooks& hooks) {
  DataFacts facts;
  count_classes(split, dataset, facts);
  std::set<std::string> train;
  for (const data::Item& item : split.train) train.insert(item.path);
  std::vector<std::int64_t> frames;
  std::vector<double> seconds;
  std::vector<std::pair<int, int>> sizes;
  std::vector<std::string> with_vectors;
  for (const data::CheckedClip& clip : report.clips) {
    if (!clip.look) continue;
    const data::FileFacts& file = clip.look->facts;
    const std::string& path = dataset.items[clip.item].path;
    if (!file.vectors && facts.without_vectors++ == 0) facts.codec_without = file.codec;
    if (!train.contains(path)) continue;
    frames.push_back(file.frames);
    seconds.push_back(file.seconds);
    sizes.emplace_back(file.width, file.height);
    if (file.vectors) with_vectors.push_back(path);
  }
  facts.frames = median(std::move(frames));
  facts.seconds = median(std::move(seconds));
  std::tie(facts.width, facts.height) = median(std::move(sizes));
  facts.motion_bound = motion_bound_of(with_vectors, limits, hooks);
  return facts;
}

MachineFacts machine_facts(bool bf16, bool cuda) {
  MachineFacts facts;
  facts.cores = core_count();
  facts.bf16 = bf16;
  facts.cuda = cuda;
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0;
  facts.instructions = facts.bf16 ? "AVX-512 with bf16" : avx512 ? "AVX-512" : __builtin_cpu_supports("avx2") != 0 ? "AVX2" : "no AVX2";
  facts.gigabytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e9;
  return facts;
}

WeightFacts facts_of(const std::vector<std::string>& first_weights) {
  WeightFacts facts;
  facts.any = !first_weights.empty();
  facts.files = fmt::format("{}", fmt::join(first_weights, ", "));
  for (const std::string& file : first_weights) {
    if (net::is_model_file(file)) facts.moves |= net::read_model(file).inputs.moves();
  }
  return facts;
}

}  // namespace actio::training
