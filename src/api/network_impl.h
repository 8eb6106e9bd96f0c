// api: what a public Network holds.
#pragma once

#include <actio/network.h>

#include "core/inputs.h"
#include "net/netspec.h"

namespace actio {

struct Network::Impl {
  net::NetSpec spec;
  Inputs inputs;
};

// For the parts of the interface that take networks.
struct NetworkAccess {
  static const net::NetSpec& spec(const Network& network) { return network.impl_->spec; }
  static const Inputs& inputs(const Network& network) { return network.impl_->inputs; }
};

}  // namespace actio
