// openvino: the backend of OpenVINO's devices. In: what a network is to be computed with. Out: a Backend of the runtime.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/plan.h"

namespace actio::openvino {

// device: one of devices(); "" is the processor. Throws: Error where the device cannot be had.
std::unique_ptr<runtime::Backend> make_backend(std::int64_t threads, const runtime::Numerics& numerics, const std::string& device);

// Of this machine, the processor first; the last one is AUTO, where OpenVINO chooses.
std::vector<std::string> devices();

}  // namespace actio::openvino
