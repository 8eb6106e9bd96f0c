#include "runtime/compile.h"

#include "runtime/compiled_network.h"

namespace actio::runtime {

std::unique_ptr<net::Classifier> compile(const net::NetSpec& spec, const TensorMap& weights, const RunOptions& options) {
  return CompiledNetwork::compile(spec, weights, options)->session();
}

}  // namespace actio::runtime
