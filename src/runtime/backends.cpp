#include "runtime/backends.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.h"
#include "core/options.h"

namespace actio::runtime {
namespace {

// That a build may lack.
constexpr std::array<std::string_view, 1> kOptional = {"openvino"};

std::unique_ptr<Backend> onednn_of(std::int64_t threads, const Numerics& numerics, const std::string&) { return make_onednn_backend(threads, numerics); }
std::unique_ptr<Backend> reference_of(std::int64_t threads, const Numerics&, const std::string&) { return make_reference_backend(threads); }

// Made when it is first asked for: entries are added before any other global object is sure to exist.
std::vector<BackendEntry>& table() {
  static std::vector<BackendEntry> entries = {
      {.name = "onednn", .priority = 100, .precisions = {Precision::kF32, Precision::kBf16, Precision::kInt8}, .takes_auto = true, .make = onednn_of},
      {.name = "reference", .priority = 0, .what = "naive loops, slow", .make = reference_of}};
  return entries;
}

std::string upper(std::string_view text) {
  std::string big;
  for (const char c : text) big += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return big;
}

}  // namespace

std::span<const BackendEntry> backends() { return table(); }

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const BackendEntry& entry : backends()) names.emplace_back(entry.name);
  return names;
}

const BackendEntry& backend_named(std::string_view name) {
  const auto found = std::ranges::find(backends(), name, &BackendEntry::name);
  if (found != backends().end()) return *found;
  const std::vector<std::string> known = backend_names();
  if (std::ranges::find(kOptional, name) == kOptional.end()) fail_usage("{}", unknown_name_text("backend", name, known));
  fail_usage("backend {}: this build lacks it; it has {} (docs/building.md says how to add it)", name, fmt::join(known, ", "));
}

bool add_backend(BackendEntry entry) {
  std::vector<BackendEntry>& entries = table();
  const auto lower = [&](const BackendEntry& other) { return other.priority < entry.priority; };
  entries.insert(std::ranges::find_if(entries, lower), std::move(entry));
  return true;
}

std::string device_named(const BackendEntry& entry, std::string_view device) {
  if (device.empty()) return "";
  if (!entry.devices) fail_usage("device {}: backend {} has no devices to choose from", device, entry.name);
  const std::string wanted = upper(device);
  const std::vector<std::string> known = entry.devices();
  const auto is_wanted = [&](const std::string& name) { return upper(name) == wanted || upper(name).starts_with(wanted + "."); };
  if (const auto found = std::ranges::find_if(known, is_wanted); found != known.end()) return *found;
  fail_usage("device {}: backend {} finds none of that name on this machine; it finds {}", device, entry.name, fmt::join(known, ", "));
}

std::unique_ptr<Backend> make_backend(std::string_view name, std::int64_t threads, const Numerics& numerics, std::string_view device) {
  const BackendEntry& entry = backend_named(name);
  return entry.make(threads, numerics, device_named(entry, device));
}

}  // namespace actio::runtime
