#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/rng.h"
#include "data/dataset.h"
#include "data/file_identity.h"
#include "data/group.h"
#include "data/list_file.h"

namespace actio::data {
namespace {

struct PartItems {
  const char* name;
  const std::vector<Item>* items;
};

// Class counts by group, sorted by name.
using CountsOfGroups = std::map<std::string, std::vector<double>>;

CountsOfGroups count_groups(const std::vector<Item>& items, std::size_t classes) {
  CountsOfGroups counts;
  for (const Item& item : items) {
    auto& of_group = counts[item.group];
    of_group.resize(classes);
    of_group.at(static_cast<std::size_t>(item.class_index)) += 1;
  }
  return counts;
}

CountsOfGroups count_groups(const Dataset& dataset) { return count_groups(dataset.items, dataset.classes.size()); }

std::vector<std::string> names_of(const CountsOfGroups& counts) {
  std::vector<std::string> names;
  for (const auto& [name, ignored] : counts) names.push_back(name);
  return names;
}

std::string list_text(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 20;
  const std::vector<std::string> shown(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names.size())));
  const std::string rest = names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "";
  return fmt::format("{}{}", fmt::join(shown, ", "), rest);
}

// Takes groups in random order, each one that brings the test counts of the classes nearer to their share.
std::set<std::string> hold_out(const CountsOfGroups& counts, double share, std::int64_t seed) {
  std::vector<double> missing(counts.empty() ? 0 : counts.begin()->second.size());
  for (const auto& [name, of_group] : counts) {
    for (std::size_t i = 0; i < missing.size(); ++i) missing[i] += share * of_group[i];
  }
  std::vector<std::string> order = names_of(counts);
  Rng rng(static_cast<std::uint64_t>(seed));
  rng.shuffle(order);
  std::set<std::string> held;
  for (const std::string& name : order) {
    const auto& of_group = counts.at(name);
    double gain = 0;
    for (std::size_t i = 0; i < missing.size(); ++i) gain += of_group[i] * (2 * missing[i] - of_group[i]);
    if (gain <= 0) continue;
    for (std::size_t i = 0; i < missing.size(); ++i) missing[i] -= of_group[i];
    held.insert(name);
  }
  if (held.empty()) held.insert(order.front());
  return held;
}

std::vector<Part> parts_of_groups(const Dataset& dataset, const std::set<std::string>& held) {
  std::vector<Part> parts;
  for (const Item& item : dataset.items) parts.push_back(held.contains(item.group) ? Part::kTest : Part::kTrain);
  return parts;
}

void hold_out_validation(const Dataset& dataset, const DatasetOptions& options, Split& split) {
  const auto& share = options.validation_share;
  if (!(share >= 0 && share < 1)) fail_usage("{}: validation_share must be from 0 to below 1, got {}", dataset.source, share);
  if (share == 0 || split.train.empty()) return;
  if (!split.validation.empty())
    fail_usage("{}: validation_share and {} both give a validation part", dataset.source, dataset.protocol);
  const CountsOfGroups counts = count_groups(split.train, dataset.classes.size());
  if (counts.size() < 2) fail_usage("{}: validation_share needs two groups at least to train on, got {}", dataset.source, counts.size());
  std::set<std::string> held = hold_out(counts, share, options.seed);
  if (held.size() == counts.size()) held.erase(held.begin());
  std::vector<Item> rest;
  for (Item& item : split.train) (held.contains(item.group) ? split.validation : rest).push_back(std::move(item));
  split.train = std::move(rest);
}

std::string identity_of(const Item& item) { return item.file.empty() ? file_identity(item.path) : item.file; }

// What was learned by heart is no test.
void refuse_in_both(const Dataset& dataset, const PartItems& some, const PartItems& others) {
  if (some.items->empty() || others.items->empty()) return;
  std::map<std::string, const Item*> known;
  for (const Item& item : *some.items) known.emplace(identity_of(item), &item);
  for (const Item& item : *others.items) {
    const auto found = known.find(identity_of(item));
    if (found == known.end()) continue;
    const std::string& first = found->second->path;
    if (first == item.path)
      fail_data("{}: '{}' is in the {} and in the {} part", dataset.source, shown(item.path), some.name, others.name);
    fail_data("{}: '{}' in the {} part and '{}' in the {} part are one file", dataset.source, shown(first), some.name,
              shown(item.path), others.name);
  }
}

void refuse_in_two_parts(const Dataset& dataset, const Split& split) {
  const PartItems train{"training", &split.train}, validation{"validation", &split.validation}, test{"test", &split.test};
  refuse_in_both(dataset, train, test);
  refuse_in_both(dataset, train, validation);
  refuse_in_both(dataset, validation, test);
}

}  // namespace

bool is_divided(const Dataset& dataset, const DatasetOptions& options) {
  return !options.fold.empty() || options.test_share != 0 || !dataset.protocol.empty();
}

std::vector<Part> parts_of(const Dataset& dataset, const DatasetOptions& options) {
  const CountsOfGroups counts = count_groups(dataset);
  const std::vector<std::string> names = names_of(counts);
  const std::vector<std::string> fold = group_names_of(options.fold, {names.begin(), names.end()});
  const std::set<std::string> held(fold.begin(), fold.end());
  for (const std::string& name : held) {
    if (!counts.contains(name)) {
      fail_usage("{}: fold '{}' is no group; groups: {}", dataset.source, name, list_text(names));
    }
  }
  if (!held.empty()) return parts_of_groups(dataset, held);
  if (!(options.test_share >= 0 && options.test_share <= 1)) {
    fail_usage("{}: test_share must be between 0 and 1, got {}", dataset.source, options.test_share);
  }
  if (options.test_share > 0) return parts_of_groups(dataset, hold_out(count_groups(dataset), options.test_share, options.seed));
  if (dataset.protocol.empty()) return std::vector<Part>(dataset.items.size(), Part::kTrain);
  std::vector<Part> parts;
  for (const Item& item : dataset.items) parts.push_back(item.part);
  return parts;
}

Split divide(const Dataset& dataset, const DatasetOptions& options) {
  const std::vector<Part> parts = parts_of(dataset, options);
  Split split;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == Part::kTrain) split.train.push_back(dataset.items[i]);
    if (parts[i] == Part::kValidation) split.validation.push_back(dataset.items[i]);
    if (parts[i] == Part::kTest) split.test.push_back(dataset.items[i]);
  }
  refuse_in_two_parts(dataset, split);
  return split;
}

Split split_dataset(const Dataset& dataset, const DatasetOptions& options) {
  Split split = divide(dataset, options);
  if (split.train.empty() && options.fold.empty() && options.test_share == 0) {
    fail_usage("{}: no clip that is left is in the training part of {}", dataset.source, dataset.protocol);
  }
  if (split.train.empty()) {
    fail_usage("{}: all {} groups are in the test part; nothing is left to train on", dataset.source,
               count_groups(dataset).size());
  }
  hold_out_validation(dataset, options, split);
  refuse_in_two_parts(dataset, split);
  return split;
}

}  // namespace actio::data
