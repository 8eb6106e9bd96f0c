// runtime: how far values reach on given inputs, to their largest. In: a network, its inputs. Out: what 8 bits need. Many clips: recognize/quantize.h.
#pragma once

#include "core/tensor.h"
#include "net/quantization.h"

namespace actio::runtime {

// f32 [rows, channels, ...]; zero is in every range.
net::Range range_of(const Tensor& value);

// Of every value that convolutions touch. Throws: as CompiledNetwork::compile and its sessions.
net::Ranges ranges_on(const net::NetSpec& spec, const TensorMap& weights, const TensorMap& inputs);

}  // namespace actio::runtime
