// net: what a network's paper prescribes where the user left it open. In: options and which of them were chosen. Out: options.
#pragma once

#include <string>
#include <vector>

#include "core/chosen.h"
#include "core/preprocess.h"
#include "net/zoo.h"

namespace actio::net {

// Of a training in stages, whose other networks an option may be meant for.
struct OtherStages {
  std::vector<NetworkKind> networks;  // of all stages
  Chosen for_all;                     // what was chosen for every stage, not for this one
};

// Motion vectors where the network has a motion stream; for STFN 5 segments and stacks of 10 fields centred on the frame; for
// Inception-V3 pixels from -1 to 1, which torchvision's transform_input makes of what it is given.
// Throws: Error(kUsage) for an option that was chosen and belongs to other networks.
void apply_defaults(NetworkOptions& network, Preprocess& preprocess, const Chosen& chosen, const OtherStages& others = {});

// Options of other networks, which may be chosen for another stage, get their defaults: they are no part of this training.
void reset_foreign_options(NetworkOptions& network);

}  // namespace actio::net
