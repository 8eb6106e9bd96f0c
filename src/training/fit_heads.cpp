#include "training/fit_heads.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/hooks.h"
#include "eval/metrics.h"
#include "net/head_weights.h"

namespace actio::training {
namespace {

std::vector<std::string> names_of(const net::NetSpec& spec) {
  std::vector<std::string> names;
  for (const net::Head& head : net::fused_heads(spec)) names.push_back(head.name);
  return names;
}

// Of each clip; a clip that nobody knows is one of its own.
std::vector<std::string> groups_of(const std::vector<std::string>& paths, const std::vector<data::Item>& items) {
  std::map<std::string, std::string> known;
  for (const data::Item& item : items) known.emplace(item.path, item.group);
  std::vector<std::string> groups;
  for (const std::string& path : paths) groups.push_back(known.contains(path) && !known.at(path).empty() ? known.at(path) : path);
  return groups;
}

// Adds the clips of `part` to `all`.
void append(const Answers& part, Answers& all) {
  all.paths.insert(all.paths.end(), part.paths.begin(), part.paths.end());
  all.labels.insert(all.labels.end(), part.labels.begin(), part.labels.end());
  const auto clips = static_cast<std::int64_t>(all.labels.size());
  if (all.heads.empty()) all.heads.resize(part.heads.size());
  for (std::size_t h = 0; h < part.heads.size(); ++h) {
    const auto more = part.heads[h].values<float>();
    std::vector<float> values;
    if (all.heads[h].defined()) {
      const auto there = std::as_const(all.heads[h]).values<float>();
      values.assign(there.begin(), there.end());
    }
    values.insert(values.end(), more.begin(), more.end());
    all.heads[h] = Tensor::of({clips, part.heads[h].dim(1)}, values);
  }
}

}  // namespace

std::vector<data::Split> inner_splits(const data::Split& split, std::int64_t parts) {
  std::map<std::string, std::vector<data::Item>> by_group;
  for (const data::Item& item : split.train) by_group[item.group.empty() ? item.path : item.group].push_back(item);
  std::vector<std::pair<std::string, std::string>> order;  // label of the first clip, group
  for (const auto& [group, items] : by_group) order.emplace_back(items.front().label, group);
  std::ranges::sort(order);
  if (static_cast<std::int64_t>(order.size()) < parts) {
    fail_usage("fit_heads inner: {} groups of clips to train on make no {} parts", order.size(), parts);
  }
  std::vector<data::Split> splits(static_cast<std::size_t>(parts));
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t part = 0; part < splits.size(); ++part) {
      std::vector<data::Item>& to = i % splits.size() == part ? splits[part].test : splits[part].train;
      const std::vector<data::Item>& items = by_group.at(order[i].second);
      to.insert(to.end(), items.begin(), items.end());
    }
  }
  for (data::Split& inner : splits) inner.validation = split.validation;
  return splits;
}

std::string missing_class(const std::vector<data::Split>& splits, const std::vector<std::string>& classes) {
  for (const data::Split& split : splits) {
    std::set<std::string> there;
    for (const data::Item& item : split.train) there.insert(item.label);
    for (const std::string& name : classes) {
      if (!there.contains(name)) return name;
    }
  }
  return "";
}

Answers answers_of(Trainer& trainer, TrainJob job, const net::Model& model, const std::vector<data::Item>& clips) {
  job.spec = model.spec;
  job.test = clips;
  std::optional<Answers> answers = trainer.answers_to_test(job, model.weights);
  throw_if_stopped(job.stop);
  return answers ? std::move(*answers) : Answers();
}

Answers inner_answers(Trainer& trainer, const TrainJob& job, const std::vector<std::string>& classes, const TrainInner& train,
                      const TrainHooks& hooks) {
  data::Split split;
  split.train = job.train;
  split.validation = job.validation;
  const std::vector<data::Split> splits = inner_splits(split, job.options.fit_parts);
  if (const std::string name = missing_class(splits, classes); !name.empty()) {
    if (hooks.warn) hooks.warn(fmt::format("fit_heads inner: class {} is in too few groups to leave some out", name));
    return {};
  }
  Answers all;
  for (std::size_t part = 0; part < splits.size(); ++part) {
    hooks.tell(fmt::format("heads: part {} of {}: learns from {} clips, answers to {}", part + 1, splits.size(), splits[part].train.size(),
                           splits[part].test.size()));
    const net::Model inner = net::read_model(train(splits[part], static_cast<std::int64_t>(part) + 1));
    append(answers_of(trainer, job, inner, splits[part].test), all);
  }
  return all;
}

eval::HeadFusion fit_heads(net::Model& model, const Answers& held_out, const std::vector<data::Item>& items) {
  const eval::HeadFusion fusion = eval::fit_heads(held_out.heads, held_out.labels, groups_of(held_out.paths, items));
  net::set_head_weights(model.spec, model.weights, fusion.factors);
  model.training["heads"] = eval::to_json(fusion, names_of(model.spec));
  return fusion;
}

void apply_head_weights(const net::Model& model, Answers& answers) {
  const std::vector<double>& factors = model.spec.node(model.spec.scores).attrs.weights;
  if (answers.heads.empty()) return;
  answers.probabilities = eval::fused_probabilities(answers.heads, factors);
  answers.scores = Tensor(answers.probabilities.shape());
  for (std::size_t h = 0; h < factors.size(); ++h) {
    const auto logits = std::as_const(answers.heads[h]).values<float>();
    float* scores = answers.scores.data<float>();
    for (std::size_t i = 0; i < logits.size(); ++i) scores[i] += static_cast<float>(factors[h]) * logits[i];
  }
  answers.top1 = eval::compute_metrics(answers.probabilities, answers.labels).top1;
}

std::string head_text(const eval::HeadFusion& fusion, const net::NetSpec& spec) {
  const std::vector<std::string> names = names_of(spec);
  std::string weights;
  for (std::size_t h = 0; h < names.size(); ++h) weights += fmt::format("{}{} {:.2f}", h == 0 ? "" : ", ", names[h], fusion.factors[h]);
  const auto best = std::ranges::max_element(fusion.alone, {}, &eval::HeldOutFigures::top1);
  std::string text = fmt::format("heads: {} from {} clips; {:.1f} % of them right when left out (equal weights {:.1f}, {} alone {:.1f})", weights,
                                 fusion.clips, 100 * fusion.fused.top1, 100 * fusion.equal.top1,
                                 names[static_cast<std::size_t>(best - fusion.alone.begin())], 100 * best->top1);
  if (fusion.single >= 0) text += fmt::format("; {} answers alone, because all together were worse", names[static_cast<std::size_t>(fusion.single)]);
  return text;
}

}  // namespace actio::training
