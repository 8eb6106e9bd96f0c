// data: whether a clip's class follows from facts about its file. In: facts, labels, groups. Out: how often the nearest
// neighbours by these facts name the class, and how often they would by chance.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/options.h"
#include "data/fact_table.h"
#include "data/label_exchange.h"

namespace actio::data {

struct GiveawayOptions {
  std::int64_t permutations = 1000;
  std::int64_t seed = 1;
  std::int64_t most_clips = 6000;  // of more, so many are drawn at random: every pair is compared
};

struct FactScore {
  std::string name;     // of the fact; "all facts"
  double accuracy = 0;  // share of clips whose class the five nearest clips of other groups name
  double chance = 0;    // the same, mean over exchanged labels
  double p_value = 1;   // how often the best of all facts does as well with exchanged labels
  bool found = false;   // p below 0.01, and by a margin that matters
};

struct Giveaway {
  std::int64_t clips = 0;         // compared
  FactScore all;                  // facts together that say nothing of what is shown
  std::vector<FactScore> single;  // the most telling first

  bool found() const;
};

// Where labels have nothing to do with facts, this finds something in one of a hundred datasets, however many facts there
// are. Nothing is compared where there are less than two classes or groups. Source: Westfall and Young, Resampling-Based
// Multiple Testing, 1993: the single-step maximum.
Giveaway find_giveaway(const std::vector<Fact>& facts, const Labelling& labelling, const GiveawayOptions& options = {},
                       const std::stop_token& stop = {});

Json to_json(const Giveaway& giveaway);

}  // namespace actio::data
