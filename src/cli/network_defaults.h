// cli: what a network's paper prescribes where the user left it open.
#pragma once

#include "cli/option_flags.h"
#include "core/preprocess.h"
#include "net/zoo.h"

namespace actio::cli {

// Motion vectors where the network has a motion stream; for STFN 5 segments and stacks of 10 fields centred on the frame.
inline void apply_network_defaults(net::NetworkOptions& network, Preprocess& preprocess, const OptionFlags& flags) {
  const bool needs_motion = network.network != "tsn" || network.streams != "rgb";
  if (!flags.was_set("preprocess.motion")) preprocess.motion = needs_motion ? "mv" : "none";
  if (network.network != "stfn") return;
  if (!flags.was_set("network.segments")) network.segments = 5;
  if (!flags.was_set("preprocess.motion_length")) preprocess.motion_length = 10;
  if (!flags.was_set("preprocess.motion_window")) preprocess.motion_window = "centred";
}

}  // namespace actio::cli
