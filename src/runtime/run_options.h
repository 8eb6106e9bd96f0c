// runtime: how a network is to be executed. In: flags or a file. Out: a checked record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/options.h"
#include "runtime/precision.h"

namespace actio::runtime {

// The name of the backend with the highest priority.
std::string default_backend();

struct RunOptions {
  static constexpr std::string_view kTable = "runtime";

  std::string backend = default_backend();  // "onednn", "reference" (naive loops: slow, the arbiter in tests) or an optional one
  std::int64_t threads = 0;                 // of a session, or of all that run beside each other; 0: one per core
  Precision precision = Precision::kAuto;   // what convolutions are computed in
  bool narrow_weights = false;              // no option of users: int8 as on processors without VNNI, to measure what it costs
  std::string device = {};                  // of a backend that has devices; empty: its first

  Fields fields();
  // Throws: Error(kUsage) for an unknown backend, naming the nearest, for a precision or a device that it lacks, naming those that it has, and for a number of
  // threads out of range.
  void check() const;
  // These but for what `other` names: a precision, a backend (with its first device), or both as "openvino:bf16". Throws: Error(kUsage) for a name that is neither.
  RunOptions but(std::string_view other) const;
};

}  // namespace actio::runtime
