#include "runtime/backends.h"

#include <algorithm>

#include "core/error.h"
#include "core/options.h"

namespace actio::runtime {
namespace {

// An optional backend adds its line here, where it is built.
constexpr BackendEntry kBackends[] = {
    {"onednn", 100, make_onednn_backend},
    {"reference", 0, make_reference_backend},
};
static_assert(std::ranges::is_sorted(kBackends, std::ranges::greater{}, &BackendEntry::priority));

}  // namespace

std::span<const BackendEntry> backends() { return kBackends; }

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const BackendEntry& entry : kBackends) names.emplace_back(entry.name);
  return names;
}

std::unique_ptr<Backend> make_backend(std::string_view name, std::int64_t threads, const Numerics& numerics) {
  const auto* found = std::ranges::find(kBackends, name, &BackendEntry::name);
  if (found == std::end(kBackends)) fail_usage("{}", unknown_name_text("backend", name, backend_names()));
  return found->make(threads, numerics);
}

}  // namespace actio::runtime
