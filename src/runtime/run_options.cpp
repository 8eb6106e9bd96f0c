#include "runtime/run_options.h"

#include <algorithm>

#include "core/error.h"
#include "runtime/backends.h"

namespace actio::runtime {
namespace {

constexpr std::int64_t kMaxThreads = 1024;

// "onednn, or reference (naive loops, slow)"
std::string backends_text() {
  std::string text;
  for (const BackendEntry& entry : backends()) {
    const bool last = &entry == &backends().back();
    text += fmt::format("{}{}{}", text.empty() ? "" : last ? ", or " : ", ", entry.name, entry.what.empty() ? "" : fmt::format(" ({})", entry.what));
  }
  return text;
}

std::string precisions_text(const BackendEntry& entry) {
  std::vector<std::string_view> names;
  for (const Precision each : entry.precisions) names.push_back(name_of(each));
  return fmt::format("{}{}", fmt::join(names, ", "), names.size() == 1 ? " alone" : "");
}

}  // namespace

std::string default_backend() { return std::string(backends().front().name); }

Fields RunOptions::fields() {
  return {{"backend", &backend, "what executes the network: " + backends_text(), backend_names()},
          {"device", &device, "of a backend that has devices: openvino's CPU, GPU, NPU, or AUTO, where OpenVINO chooses; empty: the processor"},
          {"threads", &threads, "threads of the network, or of all that run beside each other for many videos; 0 takes one per core", {}, 0, kMaxThreads},
          choice_field("precision", &precision,
                       "what convolutions are computed in: auto takes the fastest that actio quantize found the model to bear, else f32; bf16 is f32 where "
                       "the processor lacks it")};
}

void RunOptions::check() const {
  if (threads < 0 || threads > kMaxThreads) fail_usage("threads must be between 0 and {}, got {}", kMaxThreads, threads);
  const BackendEntry& entry = backend_named(backend);
  if (precision != Precision::kAuto && std::ranges::find(entry.precisions, precision) == entry.precisions.end()) {
    fail_usage("precision {}: backend {} computes {}", name_of(precision), backend, precisions_text(entry));
  }
  device_named(entry, device);
}

RunOptions RunOptions::but(std::string_view other) const {
  RunOptions changed = *this;
  const std::size_t colon = other.find(':');
  const std::string_view first = other.substr(0, colon);
  if (colon == std::string_view::npos && set_by_name(first, changed.precision)) return changed;
  changed.backend = backend_named(first).name;
  if (changed.backend != backend) changed.device.clear();
  if (colon != std::string_view::npos) changed.precision = value_named<Precision>("precision", other.substr(colon + 1));
  return changed;
}

}  // namespace actio::runtime
