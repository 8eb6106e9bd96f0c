// training: how fast things move in clips, for the scale of motion vectors. In: clips. Out: pixels.
#pragma once

#include <string>
#include <vector>

#include "core/hooks.h"
#include "data/read_limits.h"

namespace actio::training {

// What 99 % of the displacements that are not zero stay below, over a few dozen of the clips, evenly taken; within 2..20 pixels at a
// short side of 256, in whole pixels. 0: nothing moves, or no clip can be read. Throws: Error(kInterrupted).
double motion_bound_of(const std::vector<std::string>& clips, const data::ReadLimits& limits, const Hooks& hooks = {});

}  // namespace actio::training
