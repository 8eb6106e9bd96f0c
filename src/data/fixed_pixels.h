// data: what all clips of one class have in the same place of the frame, and other classes have not: a logo, a border, a
// time stamp. In: what stays within each clip. Out: regions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/options.h"
#include "data/glimpse.h"
#include "data/label_exchange.h"

namespace actio::data {

struct FixedRegion {
  int label = 0;
  std::int64_t units = 0;                           // groups of that class, or clips where there are none
  double share = 0;                                 // of the frame, all such pixels of the class
  double left = 0, right = 0, top = 0, bottom = 0;  // of the largest connected part, shares of the width and height
  double inside = 0, outside = 0;  // share of the units that show the region's grey, in the class and in the others
  double p_value = 1;              // of the clearest pixel, for any pixel and class
};

// One at most for each class. A pixel is fixed where nine of ten units of the class have it within 12 grey levels of the
// class's median, at most half as many of the others have, and Fisher's exact test says so with p below 0.01 for all pixels
// and classes together, so that classes of few units never have one. `still` of each clip as Glimpse::still.
std::vector<FixedRegion> find_fixed_pixels(std::span<const std::vector<std::uint8_t>* const> still,
                                           const Labelling& labelling);

Json to_json(const FixedRegion& region);  // without its class

// The probability of `inside` or more marked ones among `drawn` of `all`, of which `marked` are. Source: Fisher 1922,
// one-sided.
double fisher_exact(std::int64_t inside, std::int64_t drawn, std::int64_t marked, std::int64_t all);

}  // namespace actio::data
