#include "data/label_exchange.h"

#include <map>
#include <utility>

namespace actio::data {

LabelExchange::LabelExchange(const Labelling& labelling) {
  std::map<int, std::map<int, int>> units;  // group -> label -> unit
  for (std::size_t i = 0; i < labelling.label.size(); ++i) {
    const auto [at, is_new] =
        units[labelling.group[i]].try_emplace(labelling.label[i], static_cast<int>(label_of_unit_.size()));
    if (is_new) label_of_unit_.push_back(labelling.label[i]);
    unit_of_clip_.push_back(at->second);
  }
  std::vector<int> alone;
  for (const auto& [group, of_label] : units) {
    std::vector<int> stratum;
    for (const auto& [label, unit] : of_label) stratum.push_back(unit);
    if (stratum.size() == 1) {
      alone.push_back(stratum[0]);
    } else {
      strata_.push_back(std::move(stratum));
    }
  }
  if (!alone.empty()) strata_.push_back(std::move(alone));
}

std::vector<int> LabelExchange::draw(Rng& rng) const {
  std::vector<int> of_unit = label_of_unit_;
  for (const std::vector<int>& stratum : strata_) {
    std::vector<int> labels;
    for (const int unit : stratum) labels.push_back(label_of_unit_[static_cast<std::size_t>(unit)]);
    rng.shuffle(labels);
    for (std::size_t i = 0; i < stratum.size(); ++i) of_unit[static_cast<std::size_t>(stratum[i])] = labels[i];
  }
  std::vector<int> labels;
  for (const int unit : unit_of_clip_) labels.push_back(of_unit[static_cast<std::size_t>(unit)]);
  return labels;
}

}  // namespace actio::data
