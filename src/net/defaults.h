// net: what a network's paper prescribes where the user left it open.
#pragma once

#include "cli/option_flags.h"
#include "core/preprocess.h"
#include "net/zoo.h"

namespace actio::net {

// Motion vectors where the network has a motion stream; for STFN 5 segments and stacks of 10 fields centred on the frame; for
// Inception-V3 pixels from -1 to 1, which torchvision's transform_input makes of what it is given.
// Throws: Error(kUsage) for an option that was set and belongs to other networks.
void apply_network_defaults(net::NetworkOptions& network, Preprocess& preprocess, const OptionFlags& flags,
                            const std::vector<std::string>& other_networks = {});

// Options of other networks, which a flag or a file may set for another stage, get their defaults: they are no part of this training.
void reset_foreign_options(net::NetworkOptions& network);

}  // namespace actio::net
