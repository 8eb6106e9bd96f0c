// runtime: NetSpec + weights -> something that runs, in one call. In: a network and its tensors. Out: a Classifier.
// Several sessions of one network come from CompiledNetwork.
#pragma once

#include <memory>

#include "core/tensor.h"
#include "net/classifier.h"
#include "runtime/run_options.h"

namespace actio::runtime {

using RuntimeOptions = RunOptions;

// The one session of a network compiled for it. Throws: as CompiledNetwork::compile. Threads: safe; the result takes one caller
// at a time. Owns: the caller, the result; weights as in CompiledNetwork.
std::unique_ptr<net::Classifier> compile(const net::NetSpec& spec, const TensorMap& weights, const RunOptions& options = {});

}  // namespace actio::runtime
