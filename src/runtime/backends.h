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
  int priority = 0;             // the one with the highest is what a caller gets that names none
  std::string_view what = {};   // for people, in a few words; may be empty
  std::vector<Precision> precisions = {Precision::kF32};  // that it can be asked for
  bool takes_auto = false;      // whether what `actio quantize` measured holds for it, so that "auto" may be less than f32
  // device: "" takes the first. Throws: Error where the backend cannot be had.
  std::unique_ptr<Backend> (*make)(std::int64_t threads, const Numerics& numerics, const std::string& device) = nullptr;
  std::vector<std::string> (*devices)() = nullptr;  // of this machine, by their names; null where there is nothing to choose
};

// By falling priority. Threads: safe, once main has begun.
std::span<const BackendEntry> backends();
std::vector<std::string> backend_names();

// Throws: Error(kUsage) for a name that is not there, naming the nearest, or those that are there where the backend is an optional one.
const BackendEntry& backend_named(std::string_view name);

// Adds an optional backend. Called while the program's global objects are made, so that the table does not change any more once main has begun.
// Returns true.
bool add_backend(BackendEntry entry);

// The device of that name, in any case; "GPU" stands for "GPU.0" and the like. Throws: Error(kUsage) for one that is not there, naming those that are, and
// for a backend that has none. "" stays "".
std::string device_named(const BackendEntry& entry, std::string_view device);

// threads: 0 takes one per core. Throws: as backend_named and device_named. Threads: safe.
std::unique_ptr<Backend> make_backend(std::string_view name, std::int64_t threads, const Numerics& numerics = {}, std::string_view device = {});

// The factories of the table, each beside its backend.
std::unique_ptr<Backend> make_reference_backend(std::int64_t threads);
std::unique_ptr<Backend> make_onednn_backend(std::int64_t threads, const Numerics& numerics);

}  // namespace actio::runtime
