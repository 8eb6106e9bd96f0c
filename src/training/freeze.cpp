#include "training/freeze.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "net/infer.h"

namespace actio::training {
namespace {

bool leads_to_something_that_learns(const net::NetSpec& spec, const net::Inferred& inferred, const std::string& head,
                                    const std::vector<std::string>& frozen) {
  std::set<std::size_t> open = {inferred.index.find(head)->second};
  while (!open.empty()) {
    const std::size_t i = *open.rbegin();  // a node's inputs come before it
    open.erase(i);
    const bool is_frozen = std::ranges::any_of(frozen, [&](const std::string& prefix) { return stands_below(spec.nodes[i].name, prefix); });
    const auto learns = [](const net::ParamInfo& info) { return info.trainable; };
    if (!is_frozen && std::ranges::any_of(inferred.nodes[i].params, learns)) return true;
    for (const std::string& name : spec.nodes[i].inputs) open.insert(inferred.index.find(name)->second);
  }
  return false;
}

}  // namespace

bool stands_below(const std::string& name, const std::string& prefix) {
  return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '.');
}

void check_freeze(const net::NetSpec& spec, const std::vector<std::string>& prefixes) {
  for (const std::string& prefix : prefixes) {
    const auto is_meant = [&](const net::Node& node) { return stands_below(node.name, prefix); };
    if (std::ranges::none_of(spec.nodes, is_meant)) fail_usage("freeze: nothing in {} stands below '{}'", spec.name, prefix);
  }
  if (prefixes.empty() || spec.heads.empty()) return;
  const auto inferred = net::infer(spec);
  const auto learns = [&](const net::Head& head) { return leads_to_something_that_learns(spec, inferred, head.node, prefixes); };
  if (std::ranges::none_of(spec.heads, learns)) {
    fail_usage("freeze: no head of {} depends on anything that is left to train", spec.name);
  }
}

}  // namespace actio::training
