#include "runtime/run_options.h"

#include <algorithm>

#include "core/error.h"
#include "runtime/backends.h"

namespace actio::runtime {
namespace {

constexpr std::int64_t kMaxThreads = 1024;

}  // namespace

std::string default_backend() { return std::string(backends().front().name); }

Fields RunOptions::fields() {
  return {{"backend", &backend, "what executes the network: onednn, or reference (naive loops, slow)", backend_names()},
          {"threads", &threads, "threads of the network, or of all that run beside each other for many videos; 0 takes one per core", {}, 0, kMaxThreads},
          choice_field("precision", &precision,
                       "what convolutions are computed in: auto takes the fastest that actio quantize found the model to bear, else f32; bf16 is f32 where "
                       "the processor lacks it")};
}

void RunOptions::check() const {
  if (threads < 0 || threads > kMaxThreads) fail_usage("threads must be between 0 and {}, got {}", kMaxThreads, threads);
  const std::vector<std::string> known = backend_names();
  if (std::ranges::find(known, backend) == known.end()) fail_usage("{}", unknown_name_text("backend", backend, known));
  if (precision != Precision::kF32 && precision != Precision::kAuto && backend != "onednn") {
    fail_usage("precision {}: backend {} computes f32 alone", name_of(precision), backend);
  }
}

}  // namespace actio::runtime
