// runtime: what became of the ops of a network, for people. In: a compiled network's attributes. Out: text or JSON.
#pragma once

#include <string>

#include "core/options.h"
#include "runtime/compiled_network.h"

namespace actio::runtime {

// A line for each kind of op, precision and reason, with their number; every convolution that is not what was asked for by name.
std::string precision_text(const RuntimeAttributes& attributes, Precision asked);

// {"asked", "precision", "processor", "ops": [{"node", "op", "precision", "reason"}]}
Json precision_json(const RuntimeAttributes& attributes, Precision asked);

}  // namespace actio::runtime
