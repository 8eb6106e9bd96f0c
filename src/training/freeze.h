// training: parts of a network that stay as they are. In: a network and prefixes of its nodes' names.
#pragma once

#include <string>
#include <vector>

#include "net/netspec.h"

namespace actio::training {

// "rgb.layer1" stands below "rgb", "rgbdiff" does not.
bool stands_below(const std::string& name, const std::string& prefix);

// Whether every prefix of TrainOptions::freeze names something, and a head is left that learns. Throws: Error(kUsage) naming one
// that does not.
void check_freeze(const net::NetSpec& spec, const std::vector<std::string>& prefixes);

}  // namespace actio::training
