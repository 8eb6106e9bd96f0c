#include "runtime/compile.h"

#include "core/error.h"
#include "runtime/network.h"

namespace actio::runtime {
namespace {

constexpr std::int64_t kMaxThreads = 1024;

}  // namespace

Fields RuntimeOptions::fields() {
  return {
      {"backend", &backend, "what executes the network: onednn, or reference (naive loops, slow)", {"onednn", "reference"}},
      {"threads", &threads, "threads of the network; 0 takes one per core", {}, 0, kMaxThreads}};
}

std::unique_ptr<net::Classifier> compile(const net::NetSpec& spec, const TensorMap& weights, const RuntimeOptions& options) {
  if (options.threads < 0 || options.threads > kMaxThreads) {
    fail_usage("threads must be between 0 and {}, got {}", kMaxThreads, options.threads);
  }
  std::unique_ptr<Backend> backend;
  if (options.backend == "onednn")
    backend = make_onednn_backend(options.threads);
  else if (options.backend == "reference")
    backend = make_reference_backend(options.threads);
  else
    throw Error(ErrorCode::kUsage, unknown_name_text("backend", options.backend, {"onednn", "reference"}));
  return std::make_unique<Network>(spec, weights, std::move(backend));
}

}  // namespace actio::runtime
