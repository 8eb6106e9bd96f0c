// training: the state of a training as a file beside the model. In: a state and the configuration it belongs to. Out: the same.
#pragma once

#include <string>

#include "training/train.h"

namespace actio::training {

// One .safetensors file, written atomically. Throws: Error(kFailed) with the system's reason; the earlier file then stays.
void write_state(const std::string& path, const TrainState& state, const Json& config);

// Throws: Error(kBadData) for a file that is none or is damaged; Error(kUsage) naming the first field of the configuration that
// differs from `config`, and both values.
TrainState read_state(const std::string& path, const Json& config);

// Why nothing can be gone on with from this file: config_difference(), or what is damaged; "" where it can.
// Throws: Error(kFailed) where it cannot be read.
std::string state_difference(const std::string& path, const Json& config);

// What of a configuration decides what is learned.
Json identity_of(const Json& config);

// The first difference as "[train] epochs: 40 there, 80 here", or "", of what decides what is learned.
std::string config_difference(const Json& there, const Json& here);

}  // namespace actio::training
