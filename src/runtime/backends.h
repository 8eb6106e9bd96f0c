// runtime: the backends that this build has. In: a name. Out: a Backend.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan.h"
#include "runtime/precision.h"

namespace actio::runtime {

struct BackendEntry {
  std::string_view name;
  int priority = 0;  // the one with the highest is what a caller gets that names none
  std::unique_ptr<Backend> (*make)(std::int64_t threads, const Numerics& numerics) = nullptr;
};

// By falling priority. Threads: safe.
std::span<const BackendEntry> backends();
std::vector<std::string> backend_names();

// threads: 0 takes one per core. Throws: Error(kUsage) for a name that is not there, naming the nearest. Threads: safe.
std::unique_ptr<Backend> make_backend(std::string_view name, std::int64_t threads, const Numerics& numerics = {});

// The factories of the table, each beside its backend.
std::unique_ptr<Backend> make_reference_backend(std::int64_t threads, const Numerics& numerics);  // f32 alone
std::unique_ptr<Backend> make_onednn_backend(std::int64_t threads, const Numerics& numerics);

}  // namespace actio::runtime
