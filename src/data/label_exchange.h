// data: what labels would look like if they had nothing to do with the clips. In: labels and groups. Out: labels exchanged
// at random, in the way that the groups allow.
#pragma once

#include <cstddef>
#include <vector>

#include "core/rng.h"

namespace actio::data {

// Clips of one group and one label stand or fall together: they are often one recording.
struct Labelling {
  std::vector<int> label;  // of each clip, from 0
  std::vector<int> group;  // likewise
  int classes = 0;
};

// A unit is what a group has of a label. Where a group has several, their labels are exchanged among them; groups of one
// label exchange theirs with each other.
class LabelExchange {
 public:
  explicit LabelExchange(const Labelling& labelling);

  const std::vector<int>& unit_of_clip() const { return unit_of_clip_; }
  const std::vector<int>& label_of_unit() const { return label_of_unit_; }

  // The label of each clip.
  std::vector<int> draw(Rng& rng) const;

 private:
  std::vector<int> unit_of_clip_, label_of_unit_;
  std::vector<std::vector<int>> strata_;  // of units
};

}  // namespace actio::data
